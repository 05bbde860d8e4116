"""Both sides over a link that takes the time a radio takes, on a clock that jumps: how long things last, and why."""
