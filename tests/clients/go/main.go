// franz-go behind the verbs that every client of the suite has: see tests/clients/README.md.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type options struct {
	Bootstrap, Topic, Codec, Acks, Group string
	Idempotent                           bool
	Count                                int
}

type record struct {
	Partition *int32       `json:"p"`
	Offset    int64        `json:"o"`
	Timestamp int64        `json:"t"`
	Key       []byte       `json:"k"`
	Value     []byte       `json:"v"`
	Headers   [][2]*string `json:"h"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var o options
	must(json.Unmarshal([]byte(os.Args[2]), &o))
	if os.Args[1] == "produce" {
		produce(o)
	} else {
		consume(o)
	}
}

var codecs = map[string]kgo.CompressionCodec{
	"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

// partitioned is the partition of the record where it names one, and otherwise what Kafka's own clients choose.
func partitioned() kgo.Partitioner {
	sticky := kgo.StickyKeyPartitioner(nil)
	return kgo.BasicConsistentPartitioner(func(topic string) func(*kgo.Record, int) int {
		chosen := sticky.ForTopic(topic)
		return func(r *kgo.Record, n int) int {
			if r.Partition >= 0 {
				return int(r.Partition)
			}
			return chosen.Partition(r, n)
		}
	})
}

func produce(o options) {
	opts := []kgo.Opt{kgo.SeedBrokers(o.Bootstrap), kgo.ProducerBatchCompression(codecs[o.Codec]), kgo.RecordPartitioner(partitioned()),
		kgo.ProducerLinger(20 * time.Millisecond), kgo.AllowAutoTopicCreation(), kgo.ProducerBatchMaxBytes(16 << 20)}
	switch o.Acks {
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()))
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()))
	}
	if !o.Idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(opts...)
	must(err)
	defer client.Close()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	var records []*kgo.Record
	for lines.Scan() {
		var r record
		must(json.Unmarshal(lines.Bytes(), &r))
		made := &kgo.Record{Topic: o.Topic, Key: r.Key, Value: r.Value, Partition: -1}
		if r.Partition != nil {
			made.Partition = *r.Partition
		}
		if r.Timestamp != 0 {
			made.Timestamp = time.UnixMilli(r.Timestamp)
		}
		for _, h := range r.Headers {
			var value []byte
			if h[1] != nil {
				must(json.Unmarshal([]byte(`"`+*h[1]+`"`), &value))
			}
			made.Headers = append(made.Headers, kgo.RecordHeader{Key: *h[0], Value: value})
		}
		records = append(records, made)
	}
	for _, result := range client.ProduceSync(context.Background(), records...) {
		must(result.Err)
	}
	for _, r := range records {
		fmt.Printf("{\"p\":%d,\"o\":%d}\n", r.Partition, r.Offset)
	}
}

func consume(o options) {
	opts := []kgo.Opt{kgo.SeedBrokers(o.Bootstrap), kgo.ConsumeTopics(o.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	if o.Group != "" {
		opts = append(opts, kgo.ConsumerGroup(o.Group), kgo.DisableAutoCommit())
	}
	client, err := kgo.NewClient(opts...)
	must(err)
	context, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var taken []*kgo.Record
	for len(taken) < o.Count && context.Err() == nil {
		fetches := client.PollRecords(context, o.Count-len(taken))
		taken = append(taken, fetches.Records()...)
	}
	for _, r := range taken {
		headers := [][2]any{}
		for _, h := range r.Headers {
			headers = append(headers, [2]any{h.Key, h.Value})
		}
		line, err := json.Marshal(map[string]any{"p": r.Partition, "o": r.Offset, "t": r.Timestamp.UnixMilli(), "k": r.Key, "v": r.Value,
			"h": headers})
		must(err)
		fmt.Fprintf(out, "%s\n", line)
	}
	if o.Group != "" {
		must(client.CommitRecords(context, taken...))
	}
	client.Close()
}
