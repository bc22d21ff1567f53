"""Curation: one resumable stage per command."""
