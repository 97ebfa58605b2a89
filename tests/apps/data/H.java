/* A web server of the JDK: hello, a hash computed in threads, null-pointer traps, garbage, exceptions, a file. */
import com.sun.net.httpserver.*;
import java.net.InetSocketAddress;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.*;
import java.util.concurrent.*;

public class H {
	static int[] nothing;

	static String hex(byte[] data) throws Exception {
		return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
	}

	static String garbage() {
		List<byte[]> kept = new ArrayList<>();
		long sum = 0;
		for (int i = 0; i < 200000; i++) {
			byte[] b = new byte[1024];
			b[i % 1024] = 1;
			if (i % 100 == 0)
				kept.add(b);
			sum += b.length;
		}
		return kept.size() + " " + sum;
	}

	static String threads() throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(8);
		List<Future<Long>> parts = new ArrayList<>();
		for (int t = 0; t < 8; t++) {
			int from = t;
			parts.add(pool.submit(() -> {
				long s = 0;
				for (int i = from; i < 2000000; i += 8)
					s += i % 7;
				return s;
			}));
		}
		long s = 0;
		for (Future<Long> f : parts)
			s += f.get();
		pool.shutdown();
		return "" + s;
	}

	static String traps() {
		int caught = 0;
		for (int i = 0; i < 1000; i++) {
			try {
				nothing[i] = 1;
			} catch (NullPointerException e) {
				caught++;
			}
		}
		try {
			deep(0);
		} catch (StackOverflowError e) {
			caught++;
		}
		return "" + caught;
	}

	static int deep(int n) {
		return deep(n + 1) + 1;
	}

	static String file() throws Exception {
		Path p = Files.createTempFile("mote", ".txt");
		Files.write(p, new byte[100000]);
		String s = hex(Files.readAllBytes(p));
		Files.delete(p);
		return s;
	}

	static String answer(HttpExchange x) throws Exception {
		switch (x.getRequestURI().getPath()) {
		case "/garbage": return garbage();
		case "/threads": return threads();
		case "/traps": return traps();
		case "/file": return file();
		case "/post": return hex(x.getRequestBody().readAllBytes());
		case "/cpus": return "" + Runtime.getRuntime().availableProcessors();
		default: return "hello " + x.getRequestURI().getPath();
		}
	}

	public static void main(String[] args) throws Exception {
		HttpServer s = HttpServer.create(new InetSocketAddress(Integer.parseInt(args[0])), 0);
		s.setExecutor(Executors.newFixedThreadPool(8));
		s.createContext("/", x -> {
			byte[] body;
			try {
				body = answer(x).getBytes();
			} catch (Exception e) {
				body = e.toString().getBytes();
			}
			x.sendResponseHeaders(200, body.length);
			x.getResponseBody().write(body);
			x.close();
		});
		s.start();
		System.out.println("listening");
	}
}
