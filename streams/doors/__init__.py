"""The doors: command line, client, replay."""
