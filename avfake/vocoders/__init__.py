"""Resynthesis of real sound: one file per vocoder family."""
