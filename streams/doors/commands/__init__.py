"""Commands of the command line, a module each; `streams.doors.cli` imports them, which makes them known."""
