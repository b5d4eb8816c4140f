"""What was sent, what was acknowledged, what was read: and what of it contradicts the promise of an idempotent producer.

Records are numbered for each (producer, partition), and the producer sends each number once, in order. So the log must hold, for each producer,
0, 1, 2, ... without gap, repetition or exchange, and every acknowledged number at the offset that was told.
"""
import threading


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.next_number = {}    # (producer, partition) -> number
        self.acknowledged = {}   # partition -> {offset: (producer, number)}
        self.content = {}        # partition -> {offset: (producer, number)}, as first read
        self.last_read = {}      # (producer, partition) -> the highest number read so far

    def send(self, producer, partition):
        """The number of the next record."""
        number = self.next_number.get((producer, partition), 0)
        self.next_number[(producer, partition)] = number + 1
        return number

    def acknowledge(self, producer, partition, number, offset):
        """Notes an acknowledgement; returns a fault, if two records were told the same offset."""
        with self.lock:
            told = self.acknowledged.setdefault(partition, {})
            other = told.setdefault(offset, (producer, number))
        return None if other == (producer, number) else f"partition {partition}: offset {offset} was told for {other} and {producer, number}"

    def acknowledged_so_far(self):
        with self.lock:
            return {partition: dict(told) for partition, told in self.acknowledged.items()}

    def producers_acknowledged(self):
        with self.lock:
            return {producer for told in self.acknowledged.values() for producer, _ in told.values()}

    def acknowledged_count(self):
        with self.lock:
            return sum(map(len, self.acknowledged.values()))

    def compare(self, partition, start, end, records, acknowledged):
        """The faults in `records`, [(offset, (producer, number))], read from `start` up to the high watermark `end`, where `acknowledged` was taken
        before the reading began."""
        faults = []
        content = self.content.setdefault(partition, {})
        for offset, who in records:
            if offset in content:
                if content[offset] != who:
                    faults.append(f"partition {partition}: offset {offset} held {content[offset]} and holds {who} now")
                continue
            content[offset] = who
            producer, number = who
            last = self.last_read.get((producer, partition), -1)
            if number <= last:
                faults.append(f"partition {partition}: {who} at offset {offset} is a repetition or out of order: {last} was there before")
            elif number > last + 1:
                faults.append(f"partition {partition}: {who} at offset {offset} follows {last}: {number - last - 1} records are lost")
            self.last_read[(producer, partition)] = max(number, last)
        found = dict(records)
        for offset, who in acknowledged.get(partition, {}).items():
            if offset >= end:
                faults.append(f"partition {partition}: {who} was acknowledged at offset {offset}, and the log ends at {end}")
            elif offset >= start and found.get(offset) != who:
                faults.append(f"partition {partition}: {who} was acknowledged at offset {offset}, where {found.get(offset)} is")
        return faults

    def unread(self):
        """The records that were sent and never read."""
        return [f"producer {producer}, partition {partition}: sent {sent}, read {self.last_read.get((producer, partition), -1) + 1}"
                for (producer, partition), sent in self.next_number.items() if self.last_read.get((producer, partition), -1) + 1 != sent]
