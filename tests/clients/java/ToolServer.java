import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command-line tools, and our own Java clients, one after another in one JVM, because each JVM start costs a second of CPU.
 * Reads one JSON line for each run: {"main": class, "args": [...], "stdin": text}; answers {"exit": code, "out": text, "err": text}.
 */
public final class ToolServer {
    /** Ends a tool where it would end its process. Some tools catch it and go on: what they say after it does not count. */
    private static final class Exited extends RuntimeException { }

    /** The code with which the running tool ended; -1 while it has not. */
    private static volatile int exitCode = -1;

    private static Exited exit(int code) {
        System.out.flush();
        System.err.flush();
        if (exitCode < 0) exitCode = code;
        throw new Exited();
    }

    /** A stream that is set once as System.out or System.err, whose target changes with each run. */
    private static final class Switch extends OutputStream {
        private ByteArrayOutputStream target = new ByteArrayOutputStream();

        @Override
        public synchronized void write(int b) {
            if (exitCode < 0) target.write(b);
        }

        @Override
        public synchronized void write(byte[] bytes, int at, int length) {
            if (exitCode < 0) target.write(bytes, at, length);
        }

        synchronized String take() {
            String text = target.toString(StandardCharsets.UTF_8);
            target = new ByteArrayOutputStream();
            return text;
        }
    }

    private static final class Input extends InputStream {
        private InputStream source = InputStream.nullInputStream();

        @Override
        public int read() throws IOException {
            return source.read();
        }

        @Override
        public int read(byte[] to, int at, int length) throws IOException {
            return source.read(to, at, length);
        }
    }

    public static void main(String[] unused) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = System.out;
        Switch out = new Switch();
        Switch err = new Switch();
        Input in = new Input();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        System.setIn(in);
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        List<Runnable> hooks = new ArrayList<>();
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            JsonNode request = mapper.readTree(line);
            in.source = new ByteArrayInputStream(request.path("stdin").asText().getBytes(StandardCharsets.UTF_8));
            exitCode = -1;
            int ended = run(request);
            // What a tool leaves to the end of its process: the console's producer sends what it still holds.
            hooks.forEach(Runnable::run);
            hooks.clear();
            int code = exitCode < 0 ? ended : exitCode;
            ObjectNode answer = mapper.createObjectNode().put("exit", code).put("out", out.take()).put("err", err.take());
            answers.println(mapper.writeValueAsString(answer));
            answers.flush();
        }
    }

    private static int run(JsonNode request) {
        List<String> args = new ArrayList<>();
        request.get("args").forEach(a -> args.add(a.asText()));
        try {
            Class.forName(request.get("main").asText()).getMethod("main", String[].class).invoke(null, (Object) args.toArray(new String[0]));
            return 0;
        } catch (InvocationTargetException e) {
            if (exitCode < 0) e.getCause().printStackTrace();
            return 1;
        } catch (ReflectiveOperationException e) {
            e.printStackTrace();
            return 127;
        }
    }
}
