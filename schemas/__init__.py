"""The contract: ids, times, events, rows and changes as they travel, and the codec between them and bytes."""
