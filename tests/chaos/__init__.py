"""The task engine in a storm: everything is killed again and again, and then its whole history is checked."""
