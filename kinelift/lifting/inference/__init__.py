"""Running a trained lifter over whole tracks."""
