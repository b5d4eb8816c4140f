import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;

/** Turns answers into JSON with Kafka's own classes: lines "apiKey version hex" (from the response header on) in, a line of JSON or an error out. */
public final class DecodeAnswers {
    public static void main(String[] unused) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            System.out.println(decoded(Short.parseShort(words[0]), Short.parseShort(words[1]), HexFormat.of().parseHex(words[2])));
        }
    }

    private static String decoded(short api, short version, byte[] answer) {
        try {
            ApiMessageType type = ApiMessageType.fromApiKey(api);
            ByteBuffer bytes = ByteBuffer.wrap(answer);
            bytes.position(type.responseHeaderVersion(version) == 1 ? 5 : 4);
            ApiMessage message = type.newResponse();
            message.read(new ByteBufferAccessor(bytes), version);
            if (bytes.hasRemaining()) return "\"" + bytes.remaining() + " bytes follow the answer\"";
            Class<?> converter = Class.forName(message.getClass().getName() + "JsonConverter");
            for (var method : converter.getMethods()) {
                if (method.getName().equals("write") && method.getParameterCount() == 2) return ((JsonNode) method.invoke(null, message, version)).toString();
            }
            return "\"no converter\"";
        } catch (ReflectiveOperationException | RuntimeException e) {
            return "\"not read: " + e.toString().replace("\\", "/").replace("\"", "'").replace("\n", " ") + "\"";
        }
    }
}
