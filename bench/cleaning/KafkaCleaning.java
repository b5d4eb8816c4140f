import com.sun.management.OperatingSystemMXBean;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/** Cleans copies of one log with Apache Kafka's own cleaner, in one JVM, and prints a line of JSON for each. */
public final class KafkaCleaning {
    public static void main(String[] directories) throws Exception {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        BrokerTopicStats stats = new BrokerTopicStats();
        SkimpyOffsetMap map = new SkimpyOffsetMap(128 << 20);
        for (String directory : directories) {
            Map<String, String> config = new HashMap<>();
            config.put("cleanup.policy", "compact");
            config.put("segment.bytes", String.valueOf(100 << 20));
            UnifiedLog log = UnifiedLog.create(new File(directory), new LogConfig(config), 0L, 0L, new Quiet(), stats, Time.SYSTEM, 900_000,
                new ProducerStateManagerConfig(86_400_000, false), 600_000, new LogDirFailureChannel(1), true, Optional.empty());
            log.updateHighWatermark(log.logEndOffsetMetadata());
            long bytes = log.size();
            Cleaner cleaner = new Cleaner(0, map, 256 << 10, 1 << 20, 0.9,
                new Throttler(Double.MAX_VALUE, 300, "cleaner-io", "bytes", Time.SYSTEM), Time.SYSTEM, partition -> { });
            long cpuBefore = system.getProcessCpuTime(), before = System.nanoTime();
            long end = log.logSegments().get(log.logSegments().size() - 1).baseOffset();
            cleaner.clean(new LogToClean(log, 0, end, false));
            double cpu = (system.getProcessCpuTime() - cpuBefore) / 1e9, wall = (System.nanoTime() - before) / 1e9;
            System.out.printf("{\"bytes\": %d, \"left_bytes\": %d, \"cpu_seconds\": %.3f, \"wall_seconds\": %.3f}%n", bytes, log.size(), cpu, wall);
            log.close();
        }
        System.exit(0);
    }

    /** Runs at once what Kafka wants done soon, and never what it wants later. */
    private static final class Quiet implements Scheduler {
        @Override
        public void startup() { }

        @Override
        public void shutdown() { }

        @Override
        public ScheduledFuture<?> schedule(String name, Runnable task, long delayMs, long periodMs) {
            if (delayMs <= 0 && periodMs < 0) task.run();
            return new Never();
        }

        @Override
        public void resizeThreadPool(int size) { }
    }

    private static final class Never extends CompletableFuture<Void> implements ScheduledFuture<Void> {
        @Override
        public long getDelay(TimeUnit unit) {
            return Long.MAX_VALUE;
        }

        @Override
        public int compareTo(Delayed other) {
            return 0;
        }
    }
}
