"""What an audit is made of: cues, classifiers that see nothing else, and what their success proves."""
