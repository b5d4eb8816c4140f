"""Real Apache Kafka from its Maven jars: brings them once, and knows the command lines of its server and tools.

The jars lie under ~/.cache/apache-kafka (or APACHE_KAFKA_HOME), one folder for each version. Needs Java 17 and Maven.
"""
import os
import pathlib
import shutil
import subprocess

VERSION = os.environ.get("APACHE_KAFKA_VERSION", "4.3.1")
HOME = pathlib.Path(os.environ.get("APACHE_KAFKA_HOME", pathlib.Path.home() / ".cache" / "apache-kafka")) / VERSION
JARS = HOME / "lib"
CLUSTER_ID = "TW9sZGF1TW9sZGF1TW9sZA"

TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-client-metrics": "org.apache.kafka.tools.ClientMetricsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-share-consumer": "org.apache.kafka.tools.consumer.ConsoleShareConsumer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delegation-tokens": "org.apache.kafka.tools.DelegationTokenCommand",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "kafka-e2e-latency": "org.apache.kafka.tools.EndToEndLatency",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-metadata-shell": "org.apache.kafka.shell.MetadataShell",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-replica-verification": "org.apache.kafka.tools.ReplicaVerificationTool",
    "kafka-share-groups": "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
    "kafka-storage": "kafka.tools.StorageTool",
    "kafka-streams-groups": "org.apache.kafka.tools.streams.StreamsGroupCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
    "kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
    "kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
}

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>{}</dependencies></project>"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
LOG4J = """Configuration:
  Appenders:
    Console: {name: STDERR, target: SYSTEM_ERR, PatternLayout: {pattern: "[%d] %p %m (%c)%n"}}
  Loggers:
    Root: {level: LEVEL, AppenderRef: {ref: STDERR}}
"""
# What kafka-server-start.sh gives it: for whoever measures.
SHIPPED_JVM = ("-Xmx1g", "-Xms1g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
               "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true")
# One that starts soon and leaves the machine to the tests; slow once it is warm.
SMALL_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def install():
    """Brings the jars with Maven, unless they are there."""
    if JARS.exists():
        return
    HOME.mkdir(parents=True, exist_ok=True)
    wanted = [("org.apache.kafka", name, VERSION) for name in ("kafka_2.13", "kafka-tools", "kafka-shell")]
    wanted.append(("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"))
    (HOME / "pom.xml").write_text(POM.format("".join(DEPENDENCY.format(*w) for w in wanted)))
    partial = HOME / f"lib.{os.getpid()}"
    subprocess.run(["mvn", "-q", "-B", "-f", str(HOME / "pom.xml"), "dependency:copy-dependencies",
                    f"-DoutputDirectory={partial}"], check=True, stdout=subprocess.DEVNULL)
    try:
        partial.rename(JARS)
    except OSError:  # another one was faster
        shutil.rmtree(partial)


def java(main, *args, jvm=SMALL_JVM, level="WARN", classpath=()):
    """The command line that runs class `main` with Kafka's jars, which are brought first if they are not there."""
    install()
    config = HOME / f"log4j2-{level}.yaml"
    if not config.exists() or config.read_text() != LOG4J.replace("LEVEL", level):
        config.write_text(LOG4J.replace("LEVEL", level))
    path = ":".join([*map(str, classpath), f"{JARS}/*"])
    return ["java", *jvm, f"-Dlog4j2.configurationFile={config}", "-cp", path, main, *map(str, args)]


def format_directory(properties_file, *more):
    """Formats the log directories of a combined node as a quorum of one."""
    done = subprocess.run(java(TOOLS["kafka-storage"], "format", "--standalone", "-t", CLUSTER_ID, "-c", properties_file, *more),
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"kafka-storage format failed:\n{done.stdout}{done.stderr}")
