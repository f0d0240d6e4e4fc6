"""What a media object is, when it ends and who may read it. No I/O."""
