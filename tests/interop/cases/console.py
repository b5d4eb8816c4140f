"""kafka-console-producer, kafka-console-consumer and kcat."""
import subprocess

from harness.runner import case, equal


@case("console: lines written by kafka-console-producer are read by kafka-console-consumer as from Apache Kafka")
def console(world):
    with world.transcript("console") as t:
        read = ("--from-beginning", "--timeout-ms", "8000")
        t.run("kafka-topics", "--create", "--topic", "lines", "--partitions", "1")
        t.run("kafka-console-producer", "--topic", "lines", stdin="one\ntwo\n\nfour: caf\u00e9\n")
        t.run("kafka-console-consumer", "--topic", "lines", *read, "--max-messages", "4")
        t.run("kafka-console-producer", "--topic", "lines", "--reader-property", "parse.key=true", "--reader-property", "key.separator=:",
              "--reader-property", "parse.headers=true", "--reader-property", "null.marker=NIL",
              stdin="a:1,b:2\tk1:v1\nNIL\tk2:NIL\nc:3\tNIL:v3\n")
        t.run("kafka-console-consumer", "--topic", "lines", *read, "--max-messages", "7", "--formatter-property", "print.key=true",
              "--formatter-property", "print.headers=true", "--formatter-property", "print.partition=true",
              "--formatter-property", "print.offset=true", "--formatter-property", "print.epoch=true")
        t.run("kafka-console-consumer", "--topic", "lines", "--partition", "0", "--offset", "2", "--max-messages", "2", "--timeout-ms", "8000")
        t.run("kafka-console-consumer", "--topic", "lines", "--group", "console-group", "--consumer-property", "auto.offset.reset=earliest",
              "--max-messages", "3", "--timeout-ms", "8000")
        t.run("kafka-console-consumer", "--topic", "lines", "--group", "console-group", "--max-messages", "2", "--timeout-ms", "8000")
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            t.run("kafka-console-producer", "--topic", "lines", "--compression-codec", codec, stdin=f"in {codec}\n")
        t.run("kafka-console-consumer", "--topic", "lines", *read, "--max-messages", "11")


@case("console: kcat writes and reads keys, values, headers, partitions and offsets")
def kcat(world):
    world.create("kcat", 2)

    def run(*args, stdin=""):
        done = subprocess.run(["kcat", "-q", "-b", world.bootstrap, "-t", "kcat", *args], input=stdin, capture_output=True, text=True,
                              timeout=60)
        equal(done.returncode, 0, f"kcat {args}: {done.stderr}")
        return done.stdout

    run("-P", "-p", "0", "-K", ":", "-H", "origin=kcat", stdin="a:1\nb:2\n")
    run("-P", "-p", "1", "-z", "zstd", "-X", "enable.idempotence=true", stdin="x\ny\nz\n")
    run("-P", "-p", "1", "-Z", "-K", ":", stdin="gone:\n")
    equal(run("-C", "-p", "0", "-e", "-o", "beginning", "-f", "%o %k=%s [%h]\n"), "0 a=1 [origin=kcat]\n1 b=2 [origin=kcat]\n", "partition 0")
    equal(run("-C", "-p", "1", "-e", "-o", "1", "-Z", "-f", "%o %s\n"), "1 y\n2 z\n3 NULL\n", "partition 1 from offset 1")
    equal(run("-C", "-p", "1", "-e", "-o", "-2", "-Z", "-f", "%o %s\n"), "2 z\n3 NULL\n", "the last two of partition 1")
    equal(sorted(run("-Q", "-t", "kcat:0:-1", "-t", "kcat:1:-2").split()), sorted("kcat [0] offset 2 kcat [1] offset 0".split()),
          "offsets asked by kcat")
