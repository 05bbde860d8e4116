"""What `blechannel doctor` looks at, one file a subject; each gives findings and raises nothing."""
