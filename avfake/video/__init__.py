"""Pictures of a video in time: when each frame is shown, and where one video lies inside another."""
