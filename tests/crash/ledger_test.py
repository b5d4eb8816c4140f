#!/usr/bin/env python3
"""The ledger finds each planted anomaly, and says nothing against a clean history."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from crash.ledger import Ledger  # noqa: E402


def history(count=5):
    """A ledger in which producer 0 sent `count` records to partition 0 and had them acknowledged, and the log that holds them."""
    ledger = Ledger()
    log = []
    for offset in range(count):
        number = ledger.send(0, 0)
        ledger.acknowledge(0, 0, number, offset)
        log.append((offset, (0, number)))
    return ledger, log


def faults(ledger, log, start=0, end=None):
    return ledger.compare(0, start, len(log) if end is None else end, log, ledger.acknowledged_so_far())


class LedgerTest(unittest.TestCase):
    def test_a_clean_history_has_no_fault(self):
        ledger, log = history()
        self.assertEqual(faults(ledger, log), [])
        self.assertEqual(faults(ledger, log), [])
        self.assertEqual(ledger.unread(), [])

    def test_a_record_that_was_not_acknowledged_may_be_there(self):
        ledger, log = history()
        ledger.send(0, 0)
        self.assertEqual(faults(ledger, [*log, (5, (0, 5))]), [])

    def test_a_lost_tail_is_found(self):
        ledger, log = history()
        self.assertIn("the log ends at 4", faults(ledger, log[:4])[0])
        self.assertEqual(len(ledger.unread()), 1)

    def test_a_lost_record_in_the_middle_is_found(self):
        ledger, log = history()
        self.assertTrue(any("1 records are lost" in f for f in faults(ledger, log[:2] + log[3:], end=5)))

    def test_a_repetition_is_found(self):
        ledger, log = history()
        self.assertIn("repetition", faults(ledger, [*log, (5, (0, 3))])[0])

    def test_exchanged_records_are_found(self):
        ledger, log = history()
        log[1], log[2] = (1, (0, 2)), (2, (0, 1))
        self.assertTrue(any("out of order" in f for f in faults(ledger, log)))

    def test_an_offset_that_changes_its_record_is_found(self):
        ledger, log = history()
        faults(ledger, log)
        ledger.acknowledged.clear()
        self.assertIn("holds (0, 9) now", faults(ledger, [(4, (0, 9))], start=4, end=5)[0])

    def test_two_records_told_the_same_offset_are_found(self):
        ledger, _ = history()
        self.assertIn("was told for", ledger.acknowledge(0, 0, 5, 4))


if __name__ == "__main__":
    unittest.main()
