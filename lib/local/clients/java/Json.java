import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Lines of JSON: what a program here is asked on stdin, and what it answers on stdout. */
final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final BufferedReader INPUT =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private Json() {}

    static JsonNode parsed(String text) throws IOException {
        return MAPPER.readTree(text);
    }

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** The next line, or null at the end. */
    static JsonNode read() throws IOException {
        String line = INPUT.readLine();
        return line == null ? null : MAPPER.readTree(line);
    }

    static synchronized void write(JsonNode answer) throws IOException {
        System.out.write((MAPPER.writeValueAsString(answer) + "\n").getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }

    static String textOrNull(JsonNode from, String field) {
        return from.hasNonNull(field) ? from.get(field).textValue() : null;
    }
}
