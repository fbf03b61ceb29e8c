"""fsck: the ledger folded again, and what the worker wrote held against it, on a running system."""

from streams.doors.fsck.against import Compared, Tally, compare
from streams.doors.fsck.checking import Checked, NotComparable, check
from streams.doors.fsck.differences import Difference, Differences

__all__ = ["Checked", "Compared", "Difference", "Differences", "NotComparable", "Tally", "check", "compare"]
