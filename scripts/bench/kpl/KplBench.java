import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.MoreExecutors;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Drives the KPL for as long as each line of stdin says, with a fixed number of records outstanding. Answers with how many were
 * acknowledged, and how many of them after a run-up and before the last was handed over. A record that fails ends it.
 */
public final class KplBench {
    public static void main(String[] args) throws Exception {
        JsonNode asked = Json.parsed(args[0]);
        String stream = asked.get("stream").textValue();
        int outstanding = asked.get("outstanding").intValue();
        String[] keys = keys(asked.get("keys").intValue());
        ByteBuffer[] data = data(asked.get("distinct").intValue(), asked.get("recordBytes").intValue());
        KinesisProducer producer = new KinesisProducer(KplSettings.from(asked));
        Semaphore free = new Semaphore(outstanding);
        LongAdder acknowledged = new LongAdder();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        FutureCallback<UserRecordResult> done = new FutureCallback<>() {
            @Override
            public void onSuccess(UserRecordResult result) {
                acknowledged.increment();
                free.release();
            }

            @Override
            public void onFailure(Throwable cause) {
                failure.compareAndSet(null, cause);
                free.release();
            }
        };
        long next = 0;
        Json.write(Json.object().put("ready", true));
        for (JsonNode run = Json.read(); run != null; run = Json.read()) {
            long before = acknowledged.sum();
            long startNs = System.nanoTime();
            long windowFromNs = startNs + run.get("runUpMs").longValue() * 1_000_000L;
            long untilNs = windowFromNs + run.get("windowMs").longValue() * 1_000_000L;
            long beforeWindow = -1;
            long openedNs = 0;
            long nowNs;
            while ((nowNs = System.nanoTime()) < untilNs) {
                if (beforeWindow < 0 && nowNs >= windowFromNs) {
                    beforeWindow = acknowledged.sum();
                    openedNs = nowNs;
                }
                free.acquire();
                Futures.addCallback(
                        producer.addUserRecord(
                                stream,
                                keys[(int) (next % keys.length)],
                                data[(int) (next % data.length)].duplicate()),
                        done,
                        MoreExecutors.directExecutor());
                next++;
            }
            long inWindow = acknowledged.sum() - beforeWindow;
            // What is left in its buffers need not wait for its time.
            producer.flush();
            free.acquire(outstanding);
            free.release(outstanding);
            if (failure.get() != null) throw new IllegalStateException("A record failed.", failure.get());
            Json.write(Json.object()
                    .put("records", acknowledged.sum() - before)
                    .put("inWindow", inWindow)
                    .put("windowMs", (nowNs - openedNs) / 1e6));
        }
        producer.destroy();
    }

    private static String[] keys(int count) {
        String[] keys = new String[count];
        for (int n = 0; n < count; n++) keys[n] = String.format("order-%08d", n);
        return keys;
    }

    private static ByteBuffer[] data(int count, int bytes) {
        Random random = new Random(1);
        ByteBuffer[] data = new ByteBuffer[count];
        for (int n = 0; n < count; n++) {
            byte[] one = new byte[bytes];
            random.nextBytes(one);
            data[n] = ByteBuffer.wrap(one);
        }
        return data;
    }
}
