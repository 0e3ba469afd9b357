"""Published files: what was published of them, what lies on disk, and how the one becomes the other."""
