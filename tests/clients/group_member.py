#!/usr/bin/env python3
"""One member of a consumer group (librdkafka), told what to do by a JSON argument; says what happens in JSON lines. Meant to be killed.

    {"bootstrap", "topic", "group", "settings": {...}, "commit": "after" | "before" | "never", "stall_seconds": 0}

`commit` says whether each record's offset is committed after or before the record counts as processed (which is when its line is written).
Says {"assigned": [...]}, {"revoked": [...]}, {"record": [partition, offset]}, {"committed": [partition, offset]}, {"error": name}.
"""
import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition


def say(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def commit(consumer, message):
    consumer.commit(offsets=[TopicPartition(message.topic(), message.partition(), message.offset() + 1)], asynchronous=False)
    say(committed=[message.partition(), message.offset()])


def main():
    options = json.loads(sys.argv[1])
    consumer = Consumer({"bootstrap.servers": options["bootstrap"], "group.id": options["group"], "auto.offset.reset": "earliest",
                         "enable.auto.commit": False, "session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                         **options.get("settings", {})})
    consumer.subscribe([options["topic"]],
                       on_assign=lambda _, parts: say(assigned=sorted(p.partition for p in parts)),
                       on_revoke=lambda _, parts: say(revoked=sorted(p.partition for p in parts)),
                       on_lost=lambda _, parts: say(revoked=sorted(p.partition for p in parts)))
    say(started=True)
    while True:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            say(error=message.error().name())
            if message.error().fatal():
                return
            continue
        try:
            if options.get("commit") == "before":
                commit(consumer, message)
            say(record=[message.partition(), message.offset()])
            if options.get("commit", "never") == "after":
                commit(consumer, message)
        except KafkaException as error:
            say(error=error.args[0].name())
        time.sleep(options.get("stall_seconds", 0))


if __name__ == "__main__":
    main()
