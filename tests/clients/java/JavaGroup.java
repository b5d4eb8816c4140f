import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A group of Java consumers that follows a script of steps {"join": name} and {"leave": name}, and after each waits until every partition has one
 * owner. Prints a line for each step: what each member owns, and which partitions were taken from members that stayed.
 */
public final class JavaGroup {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final class Member implements ConsumerRebalanceListener {
        final TreeSet<Integer> owned = new TreeSet<>();
        final TreeSet<Integer> taken = new TreeSet<>();
        final AtomicBoolean stop = new AtomicBoolean();
        Throwable failure;
        Thread thread;

        Member(Map<String, Object> settings, String topic) {
            thread = new Thread(() -> {
                try (KafkaConsumer<byte[], byte[]> consumer =
                         new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
                    consumer.subscribe(List.of(topic), this);
                    while (!stop.get()) consumer.poll(Duration.ofMillis(100));
                } catch (Throwable t) {
                    failure = t;
                }
            });
            thread.start();
        }

        @Override
        public synchronized void onPartitionsAssigned(Collection<TopicPartition> added) {
            added.forEach(p -> owned.add(p.partition()));
        }

        @Override
        public synchronized void onPartitionsRevoked(Collection<TopicPartition> revoked) {
            revoked.forEach(p -> {
                owned.remove(p.partition());
                if (!stop.get()) taken.add(p.partition());
            });
        }

        synchronized List<Integer> owned() {
            return new ArrayList<>(owned);
        }

        synchronized List<Integer> takeTaken() {
            List<Integer> all = new ArrayList<>(taken);
            taken.clear();
            return all;
        }
    }

    public static void main(String[] args) throws Exception {
        JsonNode options = MAPPER.readTree(args[0]);
        int partitions = options.get("partitions").asInt();
        Map<String, Member> members = new ConcurrentHashMap<>();
        for (JsonNode step : options.get("steps")) {
            if (step.has("join")) {
                Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", options.get("bootstrap").asText(), "group.id",
                    options.get("group").asText(), "client.id", step.get("join").asText(), "auto.offset.reset", "earliest"));
                options.path("settings").fields().forEachRemaining(e -> settings.put(e.getKey(), e.getValue().asText()));
                members.put(step.get("join").asText(), new Member(settings, options.get("topic").asText()));
            } else {
                Member leaving = members.remove(step.get("leave").asText());
                leaving.stop.set(true);
                leaving.thread.join();
            }
            System.out.println(settled(members, partitions));
        }
        for (Member m : members.values()) m.stop.set(true);
        for (Member m : members.values()) m.thread.join();
    }

    /** Waits until the owned partitions are all of them, each once, every member has some, and nothing moved for a second. */
    private static ObjectNode settled(Map<String, Member> members, int partitions) throws Exception {
        long deadline = System.nanoTime() + 40_000_000_000L;
        String before = "";
        long since = System.nanoTime();
        while (System.nanoTime() < deadline) {
            Thread.sleep(50);
            List<Integer> all = new ArrayList<>();
            StringBuilder now = new StringBuilder();
            boolean everyoneHasSome = true;
            for (Map.Entry<String, Member> e : members.entrySet()) {
                if (e.getValue().failure != null) throw new IllegalStateException(e.getKey(), e.getValue().failure);
                List<Integer> owned = e.getValue().owned();
                all.addAll(owned);
                now.append(e.getKey()).append(owned);
                everyoneHasSome &= !owned.isEmpty() || members.size() > partitions;
            }
            boolean complete = all.size() == partitions && new TreeSet<>(all).size() == partitions && everyoneHasSome;
            if (!complete || !now.toString().equals(before)) {
                before = now.toString();
                since = System.nanoTime();
            } else if (System.nanoTime() - since > 1_000_000_000L) {
                ObjectNode said = MAPPER.createObjectNode();
                ObjectNode owned = said.putObject("owned");
                ObjectNode taken = said.putObject("taken");
                members.forEach((name, m) -> {
                    owned.putPOJO(name, m.owned());
                    taken.putPOJO(name, m.takeTaken());
                });
                return said;
            }
        }
        throw new IllegalStateException("the group did not settle: " + before);
    }
}
