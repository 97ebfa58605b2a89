"""Tomcat 10 with a small application: a servlet, a page of JSP that it compiles, a session, a file; 8 clients."""
import glob
import hashlib
import os
import zipfile

from apps import Http, answers_http, http_load
from case import expect

SERVLET = """import jakarta.servlet.http.*;
import java.io.IOException;
public class Adder extends HttpServlet {
	public void doGet(HttpServletRequest q, HttpServletResponse a) throws IOException {
		int n = Integer.parseInt(q.getParameter("n"));
		long s = 0;
		for (int i = 1; i <= n; i++)
			s += i;
		a.setContentType("text/plain");
		a.getWriter().print(s);
	}
	public void doPost(HttpServletRequest q, HttpServletResponse a) throws IOException {
		HttpSession s = q.getSession();
		Integer n = (Integer) s.getAttribute("n");
		s.setAttribute("n", n == null ? 1 : n + 1);
		byte[] body = q.getInputStream().readAllBytes();
		a.getWriter().print(s.getAttribute("n") + " " + body.length);
	}
}
"""
DESCRIPTION = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
<servlet><servlet-name>adder</servlet-name><servlet-class>Adder</servlet-class></servlet>
<servlet-mapping><servlet-name>adder</servlet-name><url-pattern>/add</url-pattern></servlet-mapping>
</web-app>"""
PAGE = '<%@ page contentType="text/plain" %><% for (int i = 0; i < 5; i++) { %><%= i * i %>,<% } %>'
SERVER = """<Server port="-1" shutdown="x"><Service name="Catalina">
<Connector port="8080" address="0.0.0.0" protocol="HTTP/1.1"/>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false"/>
</Engine></Service></Server>"""
FILE = bytes(range(256)) * 2000


def prepare(t):
    t.write("Adder.java", SERVLET)
    t.run("javac", "-cp", ":".join(glob.glob("/usr/share/tomcat10/lib/*.jar")), "Adder.java")
    os.makedirs(t.file("tc/webapps"))
    with zipfile.ZipFile(t.file("tc/webapps/app.war"), "w") as war:
        war.writestr("WEB-INF/web.xml", DESCRIPTION)
        war.write(t.file("Adder.class"), "WEB-INF/classes/Adder.class")
        war.writestr("page.jsp", PAGE)
        war.writestr("file.bin", FILE)
    for folder in ("logs", "temp", "work", "conf"):
        os.makedirs(t.file(f"tc/{folder}"))
    t.write("tc/conf/server.xml", SERVER)
    for name in ("web.xml", "catalina.properties", "logging.properties", "context.xml"):
        with open(f"/etc/tomcat10/{name}", "rb") as f:
            t.write(f"tc/conf/{name}", f.read())


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/app/add?n=10", 200))
    h = Http(port, 300)
    expect("the servlet", h.ask("/app/add?n=1000")[:2], (200, b"500500"))
    expect("the page", h.ask("/app/page.jsp")[:2], (200, b"0,1,4,9,16,"))
    expect("a file", hashlib.sha256(h.ask("/app/file.bin")[1]).digest(), hashlib.sha256(FILE).digest())
    expect("what is not there", h.ask("/app/absent")[0], 404)
    expect("an exception", h.ask("/app/add?n=x")[0], 500)
    status, body, headers = h.ask("/app/add", "POST", b"x" * 100000)
    expect("a session", (status, body), (200, b"1 100000"))
    expect("again", h.ask("/app/add", "POST", b"y", {"Cookie": headers["set-cookie"].split(";")[0]})[1], b"2 1")
    http_load(port, {"/app/add?n=100": (200, b"5050"), "/app/page.jsp": (200, b"0,1,4,9,16,"), "/app/file.bin": (200, FILE)},
              rounds=5, timeout=300)
