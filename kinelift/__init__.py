"""A video goes in; a rendered 3D-skeleton video, the poses as data, and a timeline of actions come out."""
