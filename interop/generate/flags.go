package main

import (
	"io"
	"math"
	"os"
	"reflect"
	"strconv"

	opnodeflags "github.com/ethereum-optimism/optimism/op-node/flags"
	"github.com/ethereum-optimism/optimism/op-service/cliapp"
	"github.com/urfave/cli/v2"
)

// flagValues are texts to be read as values of a flag of each type, on the command line and in the environment.
var flagValues = []struct {
	flag, variable string
	texts          []string
}{
	{"rpc.enable-admin", "OP_NODE_RPC_ENABLE_ADMIN", []string{"", "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false",
		"False", "yes", "no", "on", "off", "2", "tRUE", " true", "true ", "y", "n", "-1", "01", "null"}},
	{"p2p.ping", "OP_NODE_P2P_PING", []string{"", "0", "1", "no"}},
	{"p2p.listen.tcp", "OP_NODE_P2P_LISTEN_TCP_PORT", wholeNumbers},
	{"override.canyon", "OP_NODE_OVERRIDE_CANYON", wholeNumbers},
	{"rpc.port", "OP_NODE_RPC_PORT", append([]string{"-9545", "+9545", "-0x10", "-0", "--1", "+-1", "9223372036854775807",
		"9223372036854775808", "-9223372036854775808", "-9223372036854775809"}, wholeNumbers...)},
	{"p2p.ban.threshold", "OP_NODE_P2P_PEER_BANNING_THRESHOLD", []string{"", "-100", "1e3", "1E3", "1e+3", "1e-3", ".5", "5.", ".", "1_000.5",
		"1_0e1_0", "1_.5", "1._5", "_1", "1_", "0x1p-2", "0X1.8P1", "0x.8p0", "0x_1p0", "0x1", "0x", "0x1p", "0xp1", "inf", "-Inf", "+infinity",
		"infinit", "nan", "NaN", "-nan", "1e400", "-1e400", "1e-400", "1e", "e1", "--1", "+1", "+-1", "1.5.2", "1,5", " 1", "1 ", "1f", "0b1",
		"007", "1nan", "x"}},
	{"p2p.peers.grace", "OP_NODE_P2P_PEERS_GRACE", []string{"", "0", "+0", "-0", "00", "30s", "+60s", "-1s", "--1s", "+-1s", "30µs", "30μs",
		"30us", "1.5h", "1h1m30s500ms", "1s1h", ".5s", "5.s", ".s", "-.s", ".", "5", "-", "+", "s", "1x", "1s2", "1d", "1 s", " 1s", "1s ", "1S",
		"9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "-9223372036854775809ns", "2562047h47m16.854775807s",
		"2562047h47m16.854775808s", "2562048h", "99999999999h", "99999999999999999999h", "0.000000000000000000001h",
		"0.99999999999999999999999s", "0.3333333333333333333h", "1h-5m", "1m+5s", "1e3s", "0x10s", "1_000s", "5µ", "5µs5", "1ns999us",
		"1.0000001ms", "100ms", "59s", "61m", "1\ns", "1\"s", "1\\s"}},
	{"p2p.static", "OP_NODE_P2P_STATIC", []string{"", "x", " x ", "-", "-x", "--y", "a=b", "a,b", "true"}},
	{"p2p.bootnodes", "OP_NODE_P2P_BOOTNODES", []string{"", "a", "a,b", " a , b ", ",", "a,,b"}},
	{"log.level", "OP_NODE_LOG_LEVEL", []string{"", "trace", "TRACE", "trce", "debug", "DEBUG", "dbug", "info", "INFO", "Info", "warn", "WARN",
		"warning", "wrn", "error", "eror", "EROR", "crit", "CRIT", "critical", "loud", " info", "info ", "3"}},
	{"log.format", "OP_NODE_LOG_FORMAT", []string{"", "text", "terminal", "logfmt", "logfmtms", "json", "jsonms", "JSON", "json-pretty", "xml"}},
}

var wholeNumbers = []string{"", "0", "9222", "0x2406", "0X2406", "0b11", "0B1", "0o17", "0O17", "017", "08", "00", "9_222", "_1", "1_", "1__0",
	"0x_1", "0_7", "0_", "0x", "0b", "0o", "0b2", "+1", "-1", "1.5", "1e3", " 1", "1 ", "x", "0xg", "1x", "18446744073709551615",
	"18446744073709551616", "99999999999999999999x", "0xffffffffffffffff", "0x10000000000000000", "80000000000", "９"}

// flagLines are command lines with an environment, of which the grammar counts.
var flagLines = []struct {
	arguments   []string
	environment map[string]string
}{
	{arguments: []string{}},
	{arguments: []string{"--"}},
	{arguments: []string{"--", "x"}},
	{arguments: []string{"--rpc.port=1", "--", "--rpc.port=2"}},
	{arguments: []string{"x"}},
	{arguments: []string{"-"}},
	{arguments: []string{""}},
	{arguments: []string{"x", "--rpc.port=1"}},
	{arguments: []string{"--rpc.port"}},
	{arguments: []string{"--p2p.static"}},
	{arguments: []string{"-p2p.static", "x"}},
	{arguments: []string{"-p2p.static=x"}},
	{arguments: []string{"---p2p.static=x"}},
	{arguments: []string{"--=x"}},
	{arguments: []string{"-=x"}},
	{arguments: []string{"--p2p.static=a=b"}},
	{arguments: []string{"--p2p.static", "--rpc.port=1"}},
	{arguments: []string{"--p2p.static", "--", "x"}},
	{arguments: []string{"--p2p.static", ""}},
	{arguments: []string{"--p2p.peers.grace", "-1s"}},
	{arguments: []string{"--rpc.port", "-1"}},
	{arguments: []string{"--rpc.port", "1", "--rpc.port", "2"}},
	{arguments: []string{"--rpc.port", "1", "--rpc.port", "x"}},
	{arguments: []string{"--rpc.port", "x", "--rpc.port", "1"}},
	{arguments: []string{"--rpc.enable-admin"}},
	{arguments: []string{"--rpc.enable-admin", "false"}},
	{arguments: []string{"--rpc.enable-admin", "--rpc.port", "1"}},
	{arguments: []string{"--rpc.enable-admin", "--rpc.enable-admin=false"}},
	{arguments: []string{"-rpc.enable-admin=0"}},
	{arguments: []string{"--nonsense"}},
	{arguments: []string{"--nonsense=1"}},
	{arguments: []string{"-x"}},
	{arguments: []string{"--RPC.PORT=1"}},
	{arguments: []string{"--rpc.port =1"}},
	{arguments: []string{"--rpc"}},
	{arguments: []string{"--p2p.bootnodes=a", "--p2p.bootnodes=b,c"}},
	{arguments: []string{"--p2p.bootnodes=b"}, environment: map[string]string{"OP_NODE_P2P_BOOTNODES": "a"}},
	{arguments: []string{"--l1.beacon-archiver=a"}},
	{arguments: []string{"--l1.beacon-fallbacks=a", "--l1.beacon-fallbacks=b"}},
	{arguments: []string{"--l1.beacon-fallbacks=a", "--l1.beacon-archiver=b"}},
	{environment: map[string]string{"OP_NODE_L1_BEACON_ARCHIVER": "a"}},
	{environment: map[string]string{"OP_NODE_L1_BEACON_ARCHIVER": "a", "OP_NODE_L1_BEACON_FALLBACKS": "b"}},
	{arguments: []string{"--rpc.port=2"}, environment: map[string]string{"OP_NODE_RPC_PORT": "1"}},
	{arguments: []string{"--rpc.port=2"}, environment: map[string]string{"OP_NODE_RPC_PORT": "x"}},
	{arguments: []string{"--rpc.port=2"}, environment: map[string]string{"OP_NODE_RPC_PORT": ""}},
	{arguments: []string{"--p2p.static="}, environment: map[string]string{"OP_NODE_P2P_STATIC": "x"}},
	{arguments: []string{"--rpc.enable-admin=false"}, environment: map[string]string{"OP_NODE_RPC_ENABLE_ADMIN": "true"}},
	{environment: map[string]string{"OP_NODE_NONSENSE": "1", "RPC_PORT": "x", "op_node_rpc_port": "x"}},
}

// freshFlags are op-node's flags as they are before any command line was read: reading one changes them.
func freshFlags() []cli.Flag {
	var out []cli.Flag
	for _, flag := range cliapp.ProtectFlags(pristineFlags) {
		out = append(out, shallowCopy(flag))
	}
	return out
}

var pristineFlags = func() []cli.Flag {
	var out []cli.Flag
	for _, flag := range opnodeflags.Flags {
		out = append(out, shallowCopy(flag))
	}
	return out
}()

func shallowCopy(flag cli.Flag) cli.Flag {
	out := reflect.New(reflect.TypeOf(flag).Elem())
	out.Elem().Set(reflect.ValueOf(flag).Elem())
	return out.Interface().(cli.Flag)
}

func flagType(flag cli.Flag) string {
	switch flag.(type) {
	case *cli.BoolFlag:
		return "bool"
	case *cli.UintFlag, *cli.Uint64Flag:
		return "uint"
	case *cli.IntFlag:
		return "int"
	case *cli.Float64Flag:
		return "float"
	case *cli.DurationFlag:
		return "duration"
	case *cli.StringSliceFlag:
		return "list"
	case *cli.GenericFlag:
		return "checked"
	case *cli.StringFlag, *cli.PathFlag:
		return "text"
	}
	panic("a flag of a new type: " + flag.Names()[0])
}

func flagContent(context *cli.Context, flag cli.Flag) any {
	name := flag.Names()[0]
	switch flag.(type) {
	case *cli.BoolFlag:
		return strconv.FormatBool(context.Bool(name))
	case *cli.UintFlag:
		return strconv.FormatUint(uint64(context.Uint(name)), 10)
	case *cli.Uint64Flag:
		return strconv.FormatUint(context.Uint64(name), 10)
	case *cli.IntFlag:
		return strconv.Itoa(context.Int(name))
	case *cli.Float64Flag:
		if math.IsNaN(context.Float64(name)) {
			return "nan"
		}
		return strconv.FormatFloat(context.Float64(name), 'g', -1, 64)
	case *cli.DurationFlag:
		return context.Duration(name).String()
	case *cli.StringSliceFlag:
		return context.StringSlice(name)
	case *cli.GenericFlag:
		return context.Generic(name).(cli.Generic).String()
	}
	return context.String(name)
}

// flagLine is what op-node reads of a command line and an environment.
func flagLine(arguments []string, environment map[string]string) object {
	for name, text := range environment {
		os.Setenv(name, text)
		defer os.Unsetenv(name)
	}
	set := object{}
	rest := []string{}
	flags := freshFlags()
	app := cli.App{Name: "op-node", Flags: flags, Writer: io.Discard, ErrWriter: io.Discard, ExitErrHandler: func(*cli.Context, error) {}}
	app.Action = func(context *cli.Context) error {
		for _, flag := range flags {
			if context.IsSet(flag.Names()[0]) {
				set[flag.Names()[0]] = flagContent(context, flag)
			}
		}
		rest = append(rest, context.Args().Slice()...)
		return nil
	}
	err := app.Run(append([]string{"op-node"}, arguments...))
	if arguments == nil {
		arguments = []string{}
	}
	item := object{"arguments": arguments}
	if len(environment) > 0 {
		item["environment"] = environment
	}
	if err == nil {
		item["set"] = set
		item["rest"] = rest
	}
	return judged(item, err)
}

func opNodeFlags() (object, error) {
	var flags, lines []object
	for _, flag := range freshFlags() {
		variables := flag.(cli.DocGenerationFlag).GetEnvVars()
		if variables == nil {
			variables = []string{}
		}
		flags = append(flags, object{"names": flag.Names(), "variables": variables, "type": flagType(flag)})
	}
	for _, line := range flagLines {
		lines = append(lines, flagLine(line.arguments, line.environment))
	}
	for _, value := range flagValues {
		for _, text := range value.texts {
			lines = append(lines, flagLine([]string{"--" + value.flag + "=" + text}, nil), flagLine(nil, map[string]string{value.variable: text}))
		}
	}
	return object{
		"about": "op-node's flags, and what its library reads of command lines and environments: 'set' is what is set then, 'rest' what " +
			"stands behind the flags.",
		"source": source("github.com/ethereum-optimism/optimism", "github.com/urfave/cli/v2"),
		"kind":   "generated",
		"flags":  flags,
		"lines":  lines,
	}, nil
}
