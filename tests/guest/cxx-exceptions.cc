/* C++: exceptions through frames and threads, iostreams, containers, thread-local objects. */
/* test: cpus=2 */
#include <algorithm>
#include <future>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct guard {
	std::string name;
	explicit guard(std::string n) : name(std::move(n))
	{
	}
	~guard()
	{
		std::cout << "leaving " << name << std::endl;
	}
};

static int deep(int n)
{
	guard g("level " + std::to_string(n));
	if (n == 0)
		throw std::runtime_error("thrown at the bottom");
	return deep(n - 1);
}

int main()
{
	try {
		deep(3);
	} catch (const std::exception &e) {
		std::cout << "caught: " << e.what() << std::endl;
	}
	auto later = std::async(
		std::launch::async, []() -> int { throw std::out_of_range("in another thread"); });
	try {
		later.get();
	} catch (const std::out_of_range &e) {
		std::cout << "caught: " << e.what() << std::endl;
	}
	std::map<std::string, int> count;
	for (const char *word : {"b", "a", "b", "c", "a", "b"})
		count[word]++;
	for (const auto &[word, n] : count)
		std::cout << word << n << " ";
	std::vector<std::thread> threads;
	std::vector<long> sums(4);
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&sums, i] {
			for (long n = 0; n < 100000; n++)
				sums[i] += n * i;
		});
	for (auto &t : threads)
		t.join();
	for (long s : sums)
		std::cout << s << " ";
	std::cout << std::endl;
	throw std::logic_error("nobody catches this");
}
