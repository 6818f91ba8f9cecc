// A MongoDB-speaking server for the tests: FerretDB with its SQLite backend, in one process.
//
// Usage: mongo_server ADDRESS DIRECTORY [CERTIFICATE KEY [CA]]. It prints its URI once it listens, and ends on
// SIGTERM, or when its standard input is closed: so it does not outlive the tests that started it. With the files
// of a certificate and its key it speaks TLS alone; with that of an authority too, it asks clients for a certificate.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := serve(ctx, os.Args[2], listener(os.Args[1], os.Args[3:])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func listener(address string, files []string) ferretdb.ListenerConfig {
	if len(files) == 0 {
		return ferretdb.ListenerConfig{TCP: address}
	}
	config := ferretdb.ListenerConfig{TLS: address, TLSCertFile: files[0], TLSKeyFile: files[1]}
	if len(files) > 2 {
		config.TLSCAFile = files[2]
	}
	return config
}

func serve(ctx context.Context, directory string, listener ferretdb.ListenerConfig) error {
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  listener,
		Logger:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Handler:   "sqlite",
		SQLiteURL: "file:" + directory + "/",
	})
	if err != nil {
		return err
	}
	fmt.Println(server.MongoDBURI())
	return server.Run(ctx)
}
