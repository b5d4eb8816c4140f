"""The load of the crash test: idempotent producers and a committing consumer that live on while the node is killed and started again."""
import random
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from harness import runner

RECONNECT = {"reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 50, "log_level": 0, "socket.timeout.ms": 10000}


class Load:
    def __init__(self, bootstrap, topic, group, partitions, ledger, seed):
        self.bootstrap, self.topic, self.group, self.partitions, self.ledger = bootstrap, topic, group, partitions, ledger
        self.chance = random.Random(seed)
        self.faults = []
        self.stopping = threading.Event()
        self.committed = {}   # partition -> the last offset whose commit was acknowledged
        self.attempted = {}   # partition -> the last offset whose commit was tried
        self.commits = 0
        self.threads = [threading.Thread(target=self.produce, args=(i, codec)) for i, codec in enumerate(("none", "lz4", "zstd"))]
        self.threads.append(threading.Thread(target=self.consume))

    def start(self):
        """Starts it, and waits until each producer has an acknowledgement and a commit has one: librdkafka asks for a producer id every half second and
        begins anew when it has lost its node before, so kills that come sooner would find clients that have not begun."""
        for thread in self.threads:
            thread.start()
        runner.eventually(lambda: len(self.ledger.producers_acknowledged()) == len(self.threads) - 1 and self.commits,
                          "every client has begun", 60)

    def produce(self, producer_number, codec):
        producer = Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": True, "acks": "all", "compression.type": codec,
                             "linger.ms": 2, "message.timeout.ms": 0, "retry.backoff.ms": 20, "retry.backoff.max.ms": 100,
                             "queue.buffering.max.messages": 500, "error_cb": self.on_error, **RECONNECT})
        chance = random.Random(producer_number)

        def delivered(partition, number):
            def note(error, message):
                if error:
                    self.faults.append(f"producer {producer_number}: record {number} of partition {partition} failed: {error}")
                else:
                    fault = self.ledger.acknowledge(producer_number, partition, number, message.offset())
                    if fault:
                        self.faults.append(fault)
            return note

        while not self.stopping.is_set():
            partition = chance.randrange(self.partitions)
            number = self.ledger.send(producer_number, partition)
            value = f"{producer_number}:{number}:".encode() + bytes(chance.randrange(200))
            while True:
                try:
                    producer.produce(self.topic, value, partition=partition, on_delivery=delivered(partition, number))
                    break
                except BufferError:
                    producer.poll(0.02)
            producer.poll(0)
            if number % 4 == 0:
                time.sleep(0.001)
        if producer.flush(60):
            self.faults.append(f"producer {producer_number}: {len(producer)} records were not answered within a minute")

    def on_error(self, error):
        if error.fatal():
            self.faults.append(f"a client has a fatal error: {error}")

    def consume(self):
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.group, "auto.offset.reset": "earliest",
                             "enable.auto.commit": False, "session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                             "error_cb": self.on_error, **RECONNECT})
        consumer.subscribe([self.topic])
        while not self.stopping.is_set():
            messages = [m for m in consumer.consume(200, timeout=0.05) if not m.error()]
            if not messages:
                continue
            upto = {m.partition(): m.offset() + 1 for m in messages}
            self.attempted.update(upto)
            try:
                answers = consumer.commit(offsets=[TopicPartition(self.topic, p, o) for p, o in upto.items()], asynchronous=False)
                for answer in answers:
                    if not answer.error:
                        self.committed[answer.partition] = answer.offset
                        self.commits += 1
            except KafkaException:
                pass  # the node was killed in between: whether the commit arrived is open
        consumer.close()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
