// For gdb: goroutines on several threads.
package main

import (
	"fmt"
	"sync"
)

//go:noinline
func add(a, b int) int { return a + b }

func main() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			mu.Lock()
			total = add(total, i)
			mu.Unlock()
		}(i)
	}
	wg.Wait()
	fmt.Println("total", total)
}
