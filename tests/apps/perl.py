"""A web server of a few lines in perl, with sockets of its own."""
from script_server import load

SCRIPT = r"""
use strict; use warnings; use IO::Socket::INET;
$| = 1;
my $s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $ARGV[0], Listen => 64, ReuseAddr => 1) or die "$!";
sub answer {
	my ($path, $body) = @_;
	return length $body if $path eq "/post";
	if ($path eq "/sort") {
		my @a = sort { $a <=> $b } map { $_ * 7919 % 100003 } 1 .. 100000;
		return "$a[0] " . scalar @a;
	}
	if ($path eq "/file") {
		open my $f, ">", "/tmp/file" or die; print $f "x" x 200000; close $f;
		return -s "/tmp/file";
	}
	return "hello $path";
}
while (my $c = $s->accept) {
	my ($path, $length, $body) = ("", 0, "");
	while (my $line = <$c>) {
		$path = $1 if $line =~ m{^\w+ (\S+) HTTP};
		$length = $1 if $line =~ /^content-length: (\d+)/i;
		last if $line =~ /^\r?\n$/;
	}
	read $c, $body, $length if $length;
	my $a = answer($path, $body);
	print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($a) . "\r\nConnection: close\r\n\r\n$a";
	close $c;
}
"""


def prepare(t):
    t.write("web.pl", SCRIPT)
