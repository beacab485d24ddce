import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.Map;
import java.util.Objects;
import java.util.Scanner;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import javax.naming.Context;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.PutRecordRequest;

/**
 * Writes records to the Kinesis stream that the signal names: lines of stdin, each a key, a tab, and data.
 *
 * <p>java FollowSignal.java signal.orders.example.com us-east-1,us-west-2 &lt; records.tsv
 */
public class FollowSignal {
  static final double POLL_MS =
      1_000 * Double.parseDouble(Objects.requireNonNullElse(System.getenv("SIGNAL_POLL_SECONDS"), "2"));
  static final int DNS_TIMEOUT_MS = 1_000;
  /** No other attempt, and no other region, would help. */
  static final Set<String> FOR_GOOD =
      Set.of("ValidationException", "InvalidArgumentException", "SerializationException");

  /** Where to write: the stream's name in the account of the credentials, or the ARN of another account's. */
  record Signal(String region, String streamName, String streamArn) {}

  static class NotASignal extends Exception {
    NotASignal(String why) {
      super(why);
    }
  }

  /** Reads a TXT answer, like "v=1; region=us-east-1; stream=orders". Strict: anybody may write DNS answers. */
  static Signal parse(String text, Set<String> regions, Set<String> accounts) throws NotASignal {
    Map<String, String> fields = new HashMap<>();
    for (String part : text.split(";", -1)) {
      String[] pair = part.strip().split("=", -1);
      if (pair.length != 2 || pair[0].isEmpty() || fields.put(pair[0], pair[1]) != null) throw new NotASignal("malformed");
    }
    if (!text.startsWith("v=") || text.length() > 255 || !fields.get("v").equals("1"))
      throw new NotASignal("another version, or none");
    String region = fields.get("region");
    if (region == null || !regions.contains(region)) throw new NotASignal("a region that is not expected: " + region);
    String stream = fields.get("stream");
    if (stream == null || !stream.matches("[A-Za-z0-9_.-]{1,128}")) throw new NotASignal("no stream");
    String account = fields.get("account");
    if (account == null) return new Signal(region, stream, null);
    if (!accounts.contains(account)) throw new NotASignal("an account that is not expected: " + account);
    return new Signal(region, null, "arn:aws:kinesis:" + region + ":" + account + ":stream/" + stream);
  }

  /** Asks DNS every few seconds, and keeps the last good answer when DNS fails or answers nonsense. */
  static class SignalFollower {
    private final String name;
    private final Set<String> regions;
    private final CountDownLatch known = new CountDownLatch(1);
    private volatile Signal signal;

    SignalFollower(String name, Set<String> regions) {
      this.name = name;
      this.regions = regions;
      Thread thread = new Thread(this::follow, "signal");
      thread.setDaemon(true);
      thread.start();
    }

    /** Waits for the first signal. */
    Signal current() throws InterruptedException {
      known.await();
      return signal;
    }

    private void follow() {
      while (true) {
        try {
          Signal found = ask();
          if (!Objects.equals(found, signal)) System.err.println("signal: " + found.region());
          signal = found;
          known.countDown();
        } catch (NamingException | NotASignal | RuntimeException problem) {
          System.err.println("signal: " + problem + "; the last good one stays");
        }
        try {
          Thread.sleep((long) (POLL_MS * ThreadLocalRandom.current().nextDouble(0.9, 1.1)));
        } catch (InterruptedException end) {
          return;
        }
      }
    }

    private Signal ask() throws NamingException, NotASignal {
      Hashtable<String, String> settings = new Hashtable<>();
      settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
      // Servers to ask in place of the machine's, like 127.0.0.1:5353. A new context each time: the machine's may have changed.
      settings.put(Context.PROVIDER_URL, "dns://" + Objects.requireNonNullElse(System.getenv("SIGNAL_DNS"), ""));
      settings.put("com.sun.jndi.dns.timeout.initial", "" + DNS_TIMEOUT_MS);
      settings.put("com.sun.jndi.dns.timeout.retries", "1");
      InitialDirContext dns = new InitialDirContext(settings);
      try {
        Attribute answers = dns.getAttributes(name, new String[] {"TXT"}).get("TXT");
        if (answers == null || answers.size() != 1) throw new NotASignal("not one answer");
        return parse(unquoted((String) answers.get()), regions, Set.of());
      } finally {
        dns.close();
      }
    }

    /** JNDI puts a string that has spaces into quotes. */
    private static String unquoted(String text) {
      boolean isQuoted = text.length() > 1 && text.startsWith("\"") && text.endsWith("\"");
      return isQuoted ? text.substring(1, text.length() - 1) : text;
    }
  }

  static class Writer {
    private final SignalFollower follower;
    private final Map<String, KinesisClient> clients = new HashMap<>();

    Writer(SignalFollower follower) {
      this.follower = follower;
    }

    /** Returns when a stream has the record. One record after the other, so that they stay in order. */
    String put(String key, byte[] data) throws InterruptedException {
      for (long pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 2_000)) {
        Signal to = follower.current();
        PutRecordRequest.Builder request = PutRecordRequest.builder().partitionKey(key).data(SdkBytes.fromByteArray(data));
        if (to.streamArn() == null) request.streamName(to.streamName());
        else request.streamARN(to.streamArn());
        try {
          return to.region() + " " + client(to.region()).putRecord(request.build()).sequenceNumber();
        } catch (SdkException error) {
          if (FOR_GOOD.contains(codeOf(error))) throw error;
          System.err.println(to.region() + ": " + error.getMessage() + "; again");
        }
        Thread.sleep(ThreadLocalRandom.current().nextLong(pauseMs));
      }
    }

    /** Empty where the region gave no answer, or one without a code. */
    private static String codeOf(SdkException error) {
      if (!(error instanceof AwsServiceException refusal) || refusal.awsErrorDetails() == null) return "";
      return Objects.requireNonNullElse(refusal.awsErrorDetails().errorCode(), "");
    }

    /** With one attempt: the next one should go where the signal points by then. */
    private KinesisClient client(String region) {
      return clients.computeIfAbsent(
          region,
          name ->
              KinesisClient.builder()
                  .region(Region.of(name))
                  .httpClientBuilder(UrlConnectionHttpClient.builder().connectionTimeout(Duration.ofSeconds(1)))
                  .overrideConfiguration(
                      override ->
                          override.retryStrategy(AwsRetryStrategy.doNotRetry()).apiCallAttemptTimeout(Duration.ofSeconds(3)))
                  .build());
    }
  }

  public static void main(String[] arguments) throws Exception {
    SignalFollower follower = new SignalFollower(arguments[0], Set.of(arguments[1].split(",")));
    Writer writer = new Writer(follower);
    try (Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8)) {
      while (lines.hasNextLine()) {
        String[] record = lines.nextLine().split("\t", 2);
        System.out.println(writer.put(record[0], record[1].getBytes(StandardCharsets.UTF_8)));
      }
    }
  }
}
