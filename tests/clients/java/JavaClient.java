import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Apache's Java client behind the verbs that every client of the suite has: see tests/clients/README.md. */
public final class JavaClient {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        JsonNode options = MAPPER.readTree(args[1]);
        switch (args[0]) {
            case "produce" -> produce(options);
            case "consume" -> consume(options);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static Map<String, Object> settings(JsonNode options) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", options.get("bootstrap").asText());
        options.path("settings").fields().forEachRemaining(e -> settings.put(e.getKey(), e.getValue().asText()));
        return settings;
    }

    private static void produce(JsonNode options) throws Exception {
        Map<String, Object> settings = settings(options);
        settings.put("compression.type", options.path("codec").asText("none"));
        settings.put("acks", options.path("acks").asText("all"));
        settings.put("enable.idempotence", options.path("idempotent").asBoolean(false));
        settings.put("linger.ms", 500);
        settings.put("max.request.size", 20_000_000);
        String topic = options.get("topic").asText();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (line.isBlank()) continue;
                JsonNode r = MAPPER.readTree(line);
                var record = new ProducerRecord<>(topic, r.hasNonNull("p") ? r.get("p").asInt() : null,
                    r.hasNonNull("t") ? r.get("t").asLong() : null, bytes(r.get("k")), bytes(r.get("v")));
                for (JsonNode h : r.path("h")) record.headers().add(h.get(0).asText(), bytes(h.get(1)));
                sent.add(producer.send(record));
            }
            producer.flush();
        }
        for (Future<RecordMetadata> f : sent) {
            System.out.println(MAPPER.createObjectNode().put("p", f.get().partition()).put("o", f.get().offset()));
        }
    }

    private static void consume(JsonNode options) {
        Map<String, Object> settings = settings(options);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        if (options.hasNonNull("group")) settings.put("group.id", options.get("group").asText());
        String topic = options.get("topic").asText();
        int count = options.get("count").asInt();
        settings.put("max.poll.records", count);
        List<ObjectNode> got = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            if (options.hasNonNull("group")) {
                consumer.subscribe(List.of(topic));
            } else {
                List<TopicPartition> all = new ArrayList<>();
                consumer.partitionsFor(topic).forEach(p -> all.add(new TopicPartition(topic, p.partition())));
                consumer.assign(all);
                consumer.seekToBeginning(all);
            }
            long deadline = System.nanoTime() + 30_000_000_000L;
            while (got.size() < count && System.nanoTime() < deadline) {
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
                    if (got.size() < count) got.add(record(r));
                }
            }
            if (options.hasNonNull("group")) consumer.commitSync();
        }
        got.forEach(System.out::println);
    }

    private static ObjectNode record(ConsumerRecord<byte[], byte[]> r) {
        ObjectNode n = MAPPER.createObjectNode().put("p", r.partition()).put("o", r.offset()).put("t", r.timestamp());
        n.put("k", r.key()).put("v", r.value());
        ArrayNode headers = n.putArray("h");
        for (Header h : r.headers()) headers.addArray().add(h.key()).add(h.value());
        return n;
    }

    private static byte[] bytes(JsonNode base64) throws IOException {
        return base64 == null || base64.isNull() ? null : base64.binaryValue();
    }
}
