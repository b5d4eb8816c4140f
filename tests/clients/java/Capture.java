import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Prints, as one JSON object, what clients can see of a node: cluster, features, topics with every record and producer, groups with their offsets. */
public final class Capture {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private final Admin admin;
    private final String servers;
    private final Map<String, KafkaConsumer<byte[], byte[]>> readers = new HashMap<>();

    private Capture(Admin admin, String servers) {
        this.admin = admin;
        this.servers = servers;
    }

    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0], "default.api.timeout.ms", 30000))) {
            Capture capture = new Capture(admin, args[0]);
            ObjectNode all = MAPPER.createObjectNode();
            capture.cluster(all);
            capture.topics(all.putArray("topics"));
            capture.groups(all.putArray("groups"));
            capture.readers.values().forEach(KafkaConsumer::close);
            System.out.println(MAPPER.writeValueAsString(all));
        }
    }

    private void cluster(ObjectNode into) throws Exception {
        into.put("clusterId", admin.describeCluster().clusterId().get());
        var quorum = admin.describeMetadataQuorum().quorumInfo().get();
        ObjectNode q = into.putObject("quorum").put("leaderId", quorum.leaderId()).put("leaderEpoch", quorum.leaderEpoch());
        ArrayNode voters = q.putArray("voters");
        quorum.voters().forEach(v -> voters.addObject().put("id", v.replicaId()).put("directoryId", v.replicaDirectoryId().toString()));
        ObjectNode features = into.putObject("finalizedFeatures");
        new TreeMap<>(admin.describeFeatures().featureMetadata().get().finalizedFeatures())
            .forEach((name, level) -> features.put(name, level.maxVersionLevel()));
    }

    private void topics(ArrayNode into) throws Exception {
        var names = new TreeSet<>(admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get());
        var described = admin.describeTopics(names).allTopicNames().get();
        for (String name : names) {
            var topic = described.get(name);
            ObjectNode n = into.addObject().put("name", name).put("topicId", topic.topicId().toString()).put("internal", topic.isInternal());
            ObjectNode configs = n.putObject("configs");
            var resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
            admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().stream()
                .filter(e -> e.source() == ConfigSource.DYNAMIC_TOPIC_CONFIG)
                .sorted(Comparator.comparing(e -> e.name())).forEach(e -> configs.put(e.name(), e.value()));
            ArrayNode partitions = n.putArray("partitions");
            for (var info : topic.partitions()) {
                ObjectNode p = partitions.addObject().put("partition", info.partition()).put("leader", info.leader() == null ? -1 : info.leader().id());
                ArrayNode replicas = p.putArray("replicas");
                info.replicas().forEach(r -> replicas.add(r.id()));
                ArrayNode isr = p.putArray("isr");
                info.isr().forEach(r -> isr.add(r.id()));
                partition(p, new TopicPartition(name, info.partition()));
            }
        }
    }

    private void partition(ObjectNode into, TopicPartition partition) throws Exception {
        long start = offset(partition, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED).offset();
        long high = offset(partition, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED).offset();
        long stable = offset(partition, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED).offset();
        var largest = offset(partition, OffsetSpec.maxTimestamp(), IsolationLevel.READ_UNCOMMITTED);
        into.put("logStartOffset", start).put("highWatermark", high).put("lastStableOffset", stable)
            .put("maxTimestamp", largest.timestamp()).put("maxTimestampOffset", largest.offset());
        ArrayNode producers = into.putArray("producers");
        admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().stream()
            .sorted(Comparator.comparingLong(p -> p.producerId()))
            .forEach(p -> producers.addObject().put("producerId", p.producerId()).put("epoch", p.producerEpoch())
                .put("lastSequence", p.lastSequence()).put("lastTimestamp", p.lastTimestamp())
                .put("coordinatorEpoch", p.coordinatorEpoch().orElse(-1))
                .put("currentTransactionStartOffset", p.currentTransactionStartOffset().orElse(-1)));
        ArrayNode records = into.putArray("records");
        for (var r : read(partition, start, high, "read_uncommitted")) {
            ObjectNode n = records.addObject().put("offset", r.offset()).put("timestamp", r.timestamp())
                .put("timestampType", r.timestampType().name).put("leaderEpoch", r.leaderEpoch().orElse(-1));
            put(n, "key", r.key());
            put(n, "value", r.value());
            if (r.headers().iterator().hasNext()) {
                ArrayNode headers = n.putArray("headers");
                r.headers().forEach(h -> headers.addObject().put("key", h.key()).put("value", h.value()));
            }
        }
        ArrayNode committed = into.putArray("committedOffsets");
        read(partition, start, stable, "read_committed").forEach(r -> committed.add(r.offset()));
    }

    /** Long keys and values stand as their size and checksum. */
    private static void put(ObjectNode into, String name, byte[] bytes) throws Exception {
        if (bytes == null || bytes.length <= 1024) {
            into.put(name, bytes);
        } else {
            byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(bytes);
            into.put(name + "Size", bytes.length).put(name + "Sha256", java.util.HexFormat.of().formatHex(digest));
        }
    }

    private org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo offset(TopicPartition partition, OffsetSpec spec,
                                                                                          IsolationLevel level) throws Exception {
        return admin.listOffsets(Map.of(partition, spec), new ListOffsetsOptions(level)).partitionResult(partition).get();
    }

    private List<ConsumerRecord<byte[], byte[]>> read(TopicPartition partition, long from, long to, String isolation) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        if (from >= to) return records;
        var reader = readers.computeIfAbsent(isolation, level -> new KafkaConsumer<>(Map.of("bootstrap.servers", servers, "isolation.level", level,
            "enable.auto.commit", "false", "auto.offset.reset", "none", "allow.auto.create.topics", "false", "fetch.max.wait.ms", "20",
            "exclude.internal.topics", "false"), new ByteArrayDeserializer(), new ByteArrayDeserializer()));
        reader.assign(List.of(partition));
        reader.seek(partition, from);
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (reader.position(partition) < to) {
            reader.poll(Duration.ofMillis(100)).forEach(records::add);
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("reading " + partition + " stands at " + reader.position(partition) + " of " + to);
            }
        }
        records.removeIf(r -> r.offset() >= to);
        return records;
    }

    private void groups(ArrayNode into) throws Exception {
        var listed = new ArrayList<>(admin.listGroups().all().get());
        listed.sort(Comparator.comparing(g -> g.groupId()));
        for (var group : listed) {
            ObjectNode n = into.addObject().put("groupId", group.groupId()).put("type", group.type().map(Object::toString).orElse(null))
                .put("protocol", group.protocol()).put("state", group.groupState().map(Object::toString).orElse(null));
            if (group.type().orElse(null) == GroupType.SHARE) continue;
            try {
                var d = admin.describeConsumerGroups(List.of(group.groupId())).all().get().get(group.groupId());
                n.put("assignor", d.partitionAssignor()).put("groupEpoch", d.groupEpoch().orElse(-1))
                    .put("targetAssignmentEpoch", d.targetAssignmentEpoch().orElse(-1));
                ArrayNode members = n.putArray("members");
                d.members().stream().sorted(Comparator.comparing(m -> m.consumerId())).forEach(m -> {
                    ArrayNode assigned = members.addObject().put("memberId", m.consumerId()).put("instanceId", m.groupInstanceId().orElse(null))
                        .put("clientId", m.clientId()).put("host", m.host()).put("memberEpoch", m.memberEpoch().orElse(-1)).putArray("assignment");
                    m.assignment().topicPartitions().stream().map(TopicPartition::toString).sorted().forEach(assigned::add);
                });
            } catch (ExecutionException e) {
                n.put("notDescribed", e.getCause().getClass().getSimpleName());
            }
            ArrayNode offsets = offsets(group.groupId(), false);
            n.set("offsets", offsets);
            ArrayNode stable = offsets(group.groupId(), true);
            if (stable == null) n.put("offsetsUnstable", true);
            else if (!stable.equals(offsets)) n.set("stableOffsets", stable);
        }
    }

    /** The group's offsets; null where stable ones were asked for and transactions are pending on them. */
    private ArrayNode offsets(String group, boolean stable) throws Exception {
        ArrayNode all = MAPPER.createArrayNode();
        try {
            var options = new ListConsumerGroupOffsetsOptions().requireStable(stable).timeoutMs(stable ? 3000 : 30000);
            var sorted = new TreeMap<String, ObjectNode>();
            admin.listConsumerGroupOffsets(Map.of(group, new ListConsumerGroupOffsetsSpec()), options).partitionsToOffsetAndMetadata(group).get()
                .forEach((p, o) -> {
                    if (o != null) {
                        sorted.put(p.toString(), MAPPER.createObjectNode().put("topic", p.topic()).put("partition", p.partition())
                            .put("offset", o.offset()).put("leaderEpoch", o.leaderEpoch().orElse(-1)).put("metadata", o.metadata()));
                    }
                });
            sorted.values().forEach(all::add);
            return all;
        } catch (ExecutionException e) {
            if (stable) return null;
            throw e;
        }
    }
}
