"""Weight files: registry, store, sources and the self-describing checkpoint. Networks are built elsewhere."""
