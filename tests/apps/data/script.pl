#!/usr/bin/perl
# Hashes, regular expressions, files, modules, sorting, signals.
use strict;
use warnings;
use File::Temp qw(tempdir);
use List::Util qw(sum max first);
use POSIX qw(floor strftime);
use Time::HiRes qw(time sleep);
use Digest::SHA qw(sha256_hex);

my %count;
$count{$_}++ for split //, "mississippi";
print join(" ", map { "$_$count{$_}" } sort keys %count), "\n";
print sum(1 .. 1000), " ", max(map { $_ * 7919 % 1000 } 1 .. 100), " ", floor(-2.5), "\n";
my $dir = tempdir(CLEANUP => 1);
open(my $f, ">", "$dir/file") or die $!;
print $f "line $_\n" for 1 .. 1000;
close $f;
open($f, "<", "$dir/file") or die $!;
my @lines = <$f>;
print scalar(@lines), " ", -s "$dir/file", " ", sha256_hex(join "", @lines), "\n";
opendir(my $d, $dir) or die $!;
print join(" ", sort grep { !/^\./ } readdir $d), "\n";
local $SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; sleep 10; };
print "caught $@";
print strftime("%Y-%m-%d", gmtime(1000000000)), " ", ("a" . "b" x 3) =~ s/b+$/c/r, "\n";
print defined(first { $_ eq "two" } @ARGV) ? "argument found\n" : "no argument\n";
my $text = "x" x 1000000;
print length($text =~ tr/x/y/r), "\n";
exit 4;
