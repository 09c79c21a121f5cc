"""Parallel WaveNet: a voice, the teacher that scores it, the student that sings it, and their weights."""
