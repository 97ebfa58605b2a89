// A web server with gorilla/mux, for tests/apps/go-mux.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/gorilla/mux"
)

var served int64

func main() {
	r := mux.NewRouter()
	r.HandleFunc("/hello/{name}", func(w http.ResponseWriter, q *http.Request) {
		atomic.AddInt64(&served, 1)
		fmt.Fprintf(w, "hello, %s\n", mux.Vars(q)["name"])
	})
	r.HandleFunc("/sum", func(w http.ResponseWriter, q *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, q.Body)
		fmt.Fprintf(w, "%d %x %v\n", n, h.Sum(nil), err)
	}).Methods("POST")
	r.HandleFunc("/work/{n:[0-9]+}", func(w http.ResponseWriter, q *http.Request) {
		sums := make(chan int)
		for i := 0; i < 8; i++ {
			go func(i int) {
				sum := 0
				for _, b := range make([]byte, 100000) {
					sum += int(b) + i
				}
				sums <- sum
			}(i)
		}
		total := 0
		for i := 0; i < 8; i++ {
			total += <-sums
		}
		runtime.GC()
		fmt.Fprintf(w, "%d\n", total)
	})
	r.HandleFunc("/panic", func(w http.ResponseWriter, q *http.Request) {
		defer func() { fmt.Fprintf(w, "recovered: %v\n", recover()) }()
		var p *int
		*p = 1
	})
	r.HandleFunc("/served", func(w http.ResponseWriter, q *http.Request) { fmt.Fprintln(w, atomic.LoadInt64(&served)) })
	fmt.Println("listening", runtime.NumCPU())
	fmt.Println(http.ListenAndServe("0.0.0.0:"+os.Args[1], r))
}
