"""A node whose log directories lie on volumes of their own, and short questions to it."""
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from disk.volume import Volume
from harness.node import Node


class NodeOnVolumes:
    def __init__(self, world, name, volumes=1, size_mb=96, properties=None):
        folder = world.folder / name
        self.volumes = [Volume(folder, f"disk{i}", size_mb) for i in range(volumes)]
        self.node = Node("moldau", folder, world.next_port(), {
            "log.dirs": ",".join(str(v.path / "data") for v in self.volumes), "log.segment.bytes": "1048576",
            "offsets.topic.num.partitions": "4", **(properties or {})}, shards=world.shards)

    def __enter__(self):
        self.node.start()
        return self

    def __exit__(self, *unused):
        self.node.kill()
        for each in self.volumes:
            each.close()

    def create(self, topic, partitions, **config):
        admin = AdminClient({"bootstrap.servers": self.node.bootstrap, "log_level": 0})
        admin.create_topics([NewTopic(topic, partitions, 1, config={k.replace("_", "."): str(v) for k, v in config.items()})])[topic].result(20)

    def leaders(self, topic):
        """partition -> the id of its leader; -1 for none."""
        admin = AdminClient({"bootstrap.servers": self.node.bootstrap, "log_level": 0})
        return {p: m.leader for p, m in admin.list_topics(topic, timeout=10).topics[topic].partitions.items()}

    def produce_once(self, topic, partition, value=b"x" * 1000, timeout_ms=4000):
        """One record without retries: (offset, None) or (None, the error's name)."""
        answers = []
        producer = Producer({"bootstrap.servers": self.node.bootstrap, "acks": "all", "retries": 0, "message.timeout.ms": timeout_ms,
                             "log_level": 0})
        producer.produce(topic, value, partition=partition, on_delivery=lambda error, message: answers.append((error, message)))
        producer.flush(timeout_ms / 1000 + 5)
        error, message = answers[0]
        return (None, error.name()) if error else (message.offset(), None)

    def read_values(self, topic, partition):
        """All values, to the end of the partition."""
        consumer = Consumer({"bootstrap.servers": self.node.bootstrap, "group.id": "reader", "enable.auto.commit": False, "log_level": 0,
                             "enable.partition.eof": True})
        consumer.assign([TopicPartition(topic, partition, 0)])
        values = []
        while True:
            message = consumer.poll(10)
            if message is None:
                raise AssertionError(f"{topic}-{partition} cannot be read to its end: {len(values)} records came")
            if message.error():
                if message.error().name() == "_PARTITION_EOF":
                    consumer.close()
                    return values
                raise AssertionError(f"{topic}-{partition}: {message.error()}")
            values.append(message.value())

    def commit(self, group, topic, offset):
        """Commits for partition 0 and gives what is committed then; an error's name where it was refused."""
        consumer = Consumer({"bootstrap.servers": self.node.bootstrap, "group.id": group, "log_level": 0})
        try:
            consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
            return consumer.committed([TopicPartition(topic, 0)], timeout=10)[0].offset
        except KafkaException as error:
            return error.args[0].name()
        finally:
            consumer.close()
