"""Read an explanation that anyone wrote, and say sentence by sentence what of it is true."""

from whythis.auditing.auditor import Auditor, Reader, audit
from whythis.auditing.reader import ModelReader, local_reader
from whythis.auditing.records import Audit, Finding, Judged

__all__ = [
    "Audit",
    "Auditor",
    "Finding",
    "Judged",
    "ModelReader",
    "Reader",
    "audit",
    "local_reader",
]
