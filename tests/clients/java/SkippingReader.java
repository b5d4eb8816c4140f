import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads partition 0 of a topic from its start to its end; where the consumer throws, it seeks one offset further and goes on. Arguments: bootstrap
 * servers, topic. Prints {"offsets": [...], "errors": {offset: message}}.
 */
public final class SkippingReader {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        ObjectNode seen = MAPPER.createObjectNode();
        ArrayNode offsets = seen.putArray("offsets");
        ObjectNode errors = seen.putObject("errors");
        TopicPartition partition = new TopicPartition(args[1], 0);
        try (var consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", args[0], "enable.auto.commit", "false", "max.partition.fetch.bytes", "20000"),
                                                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (consumer.position(partition) < end && System.nanoTime() < deadline) {
                try {
                    consumer.poll(Duration.ofMillis(200)).forEach(record -> offsets.add(record.offset()));
                } catch (KafkaException broken) {
                    long at = consumer.position(partition);
                    errors.put(Long.toString(at), broken.getMessage());
                    consumer.seek(partition, at + 1);
                }
            }
        }
        System.out.println(MAPPER.writeValueAsString(seen));
    }
}
