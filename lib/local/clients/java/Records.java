import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** The records of stdin, as they come. */
final class Records {
    private static final int AT_MOST = 100_000;
    private static final JsonNode END = Json.object();
    private final BlockingQueue<JsonNode> read = new ArrayBlockingQueue<>(AT_MOST);
    private boolean ended;

    Records() {
        Thread reader = new Thread(this::readAll, "stdin");
        reader.setDaemon(true);
        reader.start();
    }

    private void readAll() {
        try {
            for (JsonNode line = Json.read(); line != null; line = Json.read()) read.put(line);
            read.put(END);
        } catch (Exception cause) {
            cause.printStackTrace();
            System.exit(1);
        }
    }

    /** All that has come since the last batch, up to the size; empty at the end of stdin. */
    List<JsonNode> next(int size) throws InterruptedException {
        List<JsonNode> batch = new ArrayList<>();
        if (ended) return batch;
        batch.add(read.take());
        read.drainTo(batch, size - 1);
        ended = batch.get(batch.size() - 1) == END;
        if (ended) batch.remove(batch.size() - 1);
        return ended || !batch.isEmpty() ? batch : next(size);
    }
}
