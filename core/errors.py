"""The tree of things that can go wrong.

    LookbackError                a sentence for a person: what, rule, value, cure
    ├── BadInput                 a file or a value that breaks a rule
    │   └── Unrecognised         a file of no known product
    ├── WorkspaceError           the workspace folder or its database cannot serve
    ├── NotFound                 an object, run, batch or job that is not there
    └── JobError                 background work
        ├── StaleFence           this worker's lease was taken by another
        ├── Cancelled            somebody pressed cancel
        └── ChunkFailed          one piece of work that was spread out

Programmer mistakes stay ``ValueError`` and ``TypeError``.
"""


class LookbackError(Exception):
    """Something a person can understand and act on; pages show its sentence."""


class BadInput(LookbackError):
    """A file or value that breaks a rule.

    >>> str(BadInput("flux", "have 4620 samples", 12, "spec-1.fits", "Re-download the file"))
    'flux must have 4620 samples; got 12, for spec-1.fits. Re-download the file.'
    """

    def __init__(self, what: str, rule: str, got: object, where: str, cure: str):
        self.what, self.rule, self.got, self.where, self.cure = what, rule, got, where, cure.rstrip(".")
        super().__init__(f"{what} must {rule}; got {got}, for {where}. {self.cure}.")


class Unrecognised(BadInput):
    """A file that no reader knows."""


class WorkspaceError(LookbackError):
    """The workspace folder or its database cannot serve."""


class NotFound(LookbackError):
    """An object, run, batch or job that is not in this workspace."""


class JobError(LookbackError):
    """Background work could not be queued, run or finished."""


class StaleFence(JobError):
    """This worker lost its lease; what it holds must not be written."""


class Cancelled(JobError):
    """The job was cancelled by a person."""


class ChunkFailed(JobError):
    """One chunk of work spread over processes broke a rule; says which."""
