package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/aws"
	"lookback/spool"
)

func TestZR(t *testing.T) {
	if os.Getenv("ZR") == "" {
		t.Skip()
	}
	runtime.MemProfileRate = 16384
	os.Setenv("AWS_ENDPOINT_URL", os.Getenv("ZR"))
	os.Setenv("AWS_REGION", "us-east-1")
	os.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	os.Setenv("AWS_ACCESS_KEY_ID", "AKIA100000000001ORGA")
	s, err := aws.Open(t.Context(), aws.Options{Filter: aws.Filter{Organization: true}})
	if err != nil {
		t.Fatal(err)
	}
	sp := spool.New(t.TempDir())
	n := 0
	begun := time.Now()
	err = s.Run(t.Context(), func(set *evidence.Set) error {
		n++
		err := sp.Add(set)
		if n == 60 || n == 390 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			t.Logf("%d: live %d kB, goroutines %d", n, m.HeapAlloc>>10, runtime.NumGoroutine())
			f, _ := os.Create(fmt.Sprintf("/tmp/mem/read%d.prof", n))
			pprof.WriteHeapProfile(f)
			f.Close()
		}
		if n == 400 {
			f, _ := os.Create("/tmp/mem/late.prof")
			pprof.StartCPUProfile(f)
			begun = time.Now()
		}
		return err
	})
	pprof.StopCPUProfile()
	t.Log(n, err, time.Since(begun))
	begun = time.Now()
	_, _, err = sp.Join(&evidence.Set{})
	t.Log(err, time.Since(begun))
}
