// Encodes ops by hand with Go's deterministic encoder, from the same .proto files. ../it/golden.rs builds the
// same ops with the builders of this crate and compares the bytes.
//
// Each line of the output is a name, the digest and the bytes in hexadecimal digits.
package main

import (
	"crypto/sha256"
	"fmt"
	"log"

	"golden/pb"

	"google.golang.org/protobuf/proto"
)

func encode(op *pb.Op) []byte {
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(op)
	if err != nil {
		log.Fatal(err)
	}
	return bytes
}

func digest(op *pb.Op) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(encode(op)))
}

func show(name string, op *pb.Op) {
	fmt.Printf("%s %s %x\n", name, digest(op), encode(op))
}

func in(op *pb.Op, index int64) *pb.Input {
	return &pb.Input{Digest: digest(op), Index: index}
}

func byID(id uint32) *pb.UserOpt {
	return &pb.UserOpt{User: &pb.UserOpt_ById{ById: id}}
}

func byName(name string, input int64) *pb.UserOpt {
	return &pb.UserOpt{User: &pb.UserOpt_ByName{ByName: &pb.NamedUserOpt{Name: name, Input: input}}}
}

func main() {
	any := &pb.WorkerConstraints{}
	amd64 := &pb.Platform{Os: "linux", Architecture: "amd64"}

	image := &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{
			Identifier: "docker-image://docker.io/library/alpine:3.20",
		}},
		Platform:    amd64,
		Constraints: any,
	}
	show("image", image)

	show("image-with-options", &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{
			Identifier: "docker-image://example.org:5000/a/b:c",
			Attrs: map[string]string{
				"image.resolvemode": "pull",
				"image.recordtype":  "internal",
			},
		}},
		Platform: &pb.Platform{
			Os: "windows", Architecture: "arm", Variant: "v7",
			OsVersion: "10.0.17763", OsFeatures: []string{"win32k", "b"},
		},
		Constraints: any,
	})

	show("oci-layout", &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{
			Identifier: "oci-layout://layout@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			Attrs:      map[string]string{"oci.store": "name", "oci.session": "session"},
		}},
		Platform:    amd64,
		Constraints: any,
	})

	local := &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{
			Identifier: "local://context",
			Attrs: map[string]string{
				"local.session":         "session",
				"local.includepattern":  `["b","a/**","ünïcode","with \"quotes\" and \\"]`,
				"local.excludepatterns": `["**/*.pyc","!keep.pyc"]`,
				"local.followpaths":     `["pyproject.toml"]`,
				"local.sharedkeyhint":   "hint",
				"local.differ":          "none",
			},
		}},
		Constraints: any,
	}
	show("local", local)

	show("git", &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{
			Identifier: "git://example.org/a/b.git#v1:sub/folder",
			Attrs: map[string]string{
				"git.fullurl":          "git@example.org:a/b.git",
				"git.keepgitdir":       "true",
				"git.skipsubmodules":   "true",
				"git.authtokensecret":  "token",
				"git.authheadersecret": "GIT_AUTH_HEADER",
				"git.knownsshhosts":    "example.org ssh-ed25519 AAAA\n",
				"git.mountsshsock":     "default",
				"git.checksum":         "0123456789abcdef0123456789abcdef01234567",
			},
		}},
		Constraints: any,
	})

	show("http", &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{
			Identifier: "https://example.org/a-1.0-py3-none-any.whl",
			Attrs: map[string]string{
				"http.checksum":         "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
				"http.filename":         "a-1.0-py3-none-any.whl",
				"http.perm":             "0644",
				"http.uid":              "1000",
				"http.gid":              "4294967295",
				"http.authheadersecret": "auth",
			},
		}},
		Constraints: any,
	})

	simple := &pb.Op{
		Op: &pb.Op_Exec{Exec: &pb.ExecOp{
			Meta: &pb.Meta{Args: []string{"true"}, Cwd: "/", RemoveMountStubsRecursive: true},
			Mounts: []*pb.Mount{
				{Input: -1, Dest: "/", Output: 0},
			},
		}},
		Platform:    amd64,
		Constraints: any,
	}
	show("exec-on-scratch", simple)

	exec := &pb.Op{
		Inputs: []*pb.Input{in(image, 0), in(simple, 0)},
		Op: &pb.Op_Exec{Exec: &pb.ExecOp{
			Meta: &pb.Meta{
				Args: []string{"/bin/sh", "-c", "", "exit 3"},
				Env:  []string{"A=1", "EMPTY=", "PATH=/bin"},
				Cwd:  "/work",
				User: "1000:1000",
				ProxyEnv: &pb.ProxyEnv{
					HttpProxy: "http://proxy.example.org", NoProxy: "localhost",
				},
				ExtraHosts:                []*pb.HostIP{{Host: "b", Ip: "::1"}, {Host: "a", Ip: "127.0.0.1"}},
				Hostname:                  "builder",
				Ulimit:                    []*pb.Ulimit{{Name: "core", Soft: 0, Hard: -1}, {Name: "nofile", Soft: 1024, Hard: 4096}},
				CgroupParent:              "parent",
				RemoveMountStubsRecursive: true,
				ValidExitCodes:            []int32{0, 3, 255},
			},
			Network:  pb.NetMode_NONE,
			Security: pb.SecurityMode_INSECURE,
			Secretenv: []*pb.SecretEnv{
				{Id: "id-1", Name: "SECRET_1"},
				{Id: "id-2", Name: "SECRET_2", Optional: true},
			},
			Mounts: []*pb.Mount{
				{Input: 0, Dest: "/", Output: 0},
				{Input: -1, Dest: "/cache/locked", Output: -1, MountType: pb.MountType_CACHE,
					CacheOpt: &pb.CacheOpt{Id: "cache-1", Sharing: pb.CacheSharingOpt_LOCKED}},
				{Input: -1, Dest: "/cache/private", Output: -1, MountType: pb.MountType_CACHE,
					CacheOpt: &pb.CacheOpt{Id: "cache-2", Sharing: pb.CacheSharingOpt_PRIVATE}},
				{Input: -1, Dest: "/cache/shared", Output: -1, MountType: pb.MountType_CACHE,
					CacheOpt: &pb.CacheOpt{Id: "cache-3"}},
				{Input: 1, Dest: "/discarded", Output: -1},
				{Input: -1, Dest: "/memory", Output: -1, MountType: pb.MountType_TMPFS,
					TmpfsOpt: &pb.TmpfsOpt{}},
				{Input: -1, Dest: "/memory-with-size", Output: -1, MountType: pb.MountType_TMPFS,
					TmpfsOpt: &pb.TmpfsOpt{Size: 1 << 40}},
				{Input: -1, Dest: "/out", Output: 1},
				{Input: 1, Selector: "/usr/bin/tool", Dest: "/readonly", Output: -1, Readonly: true},
				{Input: -1, Dest: "/run/secrets/a", Output: -1, MountType: pb.MountType_SECRET,
					SecretOpt: &pb.SecretOpt{Id: "a", Mode: 0400}},
				{Input: -1, Dest: "/run/secrets/b", Output: -1, MountType: pb.MountType_SECRET,
					SecretOpt: &pb.SecretOpt{Id: "b", Uid: 1, Gid: 4294967295, Mode: 0444, Optional: true}},
				{Input: -1, Dest: "/run/ssh", Output: -1, MountType: pb.MountType_SSH,
					SshOpt: &pb.SSHOpt{Id: "default", Uid: 1, Gid: 2, Mode: 0600, Optional: true}},
				{Input: 0, Dest: "/writable", Output: 2},
			},
		}},
		Platform:    &pb.Platform{Os: "linux", Architecture: "arm64", Variant: "v8"},
		Constraints: any,
	}
	show("exec", exec)

	file := &pb.Op{
		Inputs: []*pb.Input{in(exec, 0), in(local, 0), in(exec, 2)},
		Op: &pb.Op_File{File: &pb.FileOp{Actions: []*pb.FileAction{
			{Input: 0, SecondaryInput: -1, Output: -1, Action: &pb.FileAction_Mkdir{Mkdir: &pb.FileActionMkDir{
				Path: "/app", Mode: 0755, MakeParents: true,
				Owner: &pb.ChownOpt{User: byID(1000), Group: byID(0)}, Timestamp: 315532800000000000,
			}}},
			{Input: 3, SecondaryInput: 1, Output: -1, Action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
				Src: "/", Dest: "/app/", Owner: &pb.ChownOpt{User: byName("app", 0), Group: byName("staff", 0)},
				Mode: 0644, FollowSymlink: true, DirCopyContents: true, AttemptUnpackDockerCompatibility: true,
				CreateDestPath: true, AllowWildcard: true, AllowEmptyWildcard: true, Timestamp: 315532800000000000,
				IncludePatterns: []string{"src/**", "a"}, ExcludePatterns: []string{"**/*.pyc", "!b.pyc"},
				AlwaysReplaceExistingDestPaths: true, RequiredPaths: []string{"src/a"},
			}}},
			{Input: 4, SecondaryInput: 2, Output: -1, Action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
				Src: "/a", Dest: "/b", Mode: -1, Timestamp: -1,
			}}},
			{Input: 5, SecondaryInput: -1, Output: -1, Action: &pb.FileAction_Mkfile{Mkfile: &pb.FileActionMkFile{
				Path: "/app/empty", Mode: 0644, Timestamp: -1,
			}}},
			{Input: 6, SecondaryInput: -1, Output: -1, Action: &pb.FileAction_Mkfile{Mkfile: &pb.FileActionMkFile{
				Path: "/app/binary", Mode: 0600, Data: []byte{0, 255, 10, 13},
				Owner: &pb.ChownOpt{User: byID(4294967295), Group: byName("staff", 0)}, Timestamp: -1,
			}}},
			{Input: 7, SecondaryInput: -1, Output: -1, Action: &pb.FileAction_Symlink{Symlink: &pb.FileActionSymlink{
				Oldpath: "../target", Newpath: "/app/link", Owner: &pb.ChownOpt{User: byID(0), Group: byID(0)}, Timestamp: -1,
			}}},
			{Input: 8, SecondaryInput: -1, Output: 0, Action: &pb.FileAction_Rm{Rm: &pb.FileActionRm{
				Path: "/tmp/*", AllowNotFound: true, AllowWildcard: true,
			}}},
		}}},
		Constraints: any,
	}
	show("file", file)

	// The zero of a mode and of a time is a value here, not an absence.
	show("file-with-zeros", &pb.Op{
		Op: &pb.Op_File{File: &pb.FileOp{Actions: []*pb.FileAction{
			{Input: -1, SecondaryInput: -1, Output: -1, Action: &pb.FileAction_Mkdir{Mkdir: &pb.FileActionMkDir{
				Path: "/a",
			}}},
			{Input: 0, SecondaryInput: -1, Output: 0, Action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
				Src: "/", Dest: "/a",
			}}},
		}}},
		Constraints: any,
	})

	merge := &pb.Op{
		Inputs:      []*pb.Input{in(image, 0), in(exec, 1), in(file, 0), in(image, 0)},
		Op:          &pb.Op_Merge{Merge: &pb.MergeOp{Inputs: []*pb.MergeInput{{Input: 0}, {Input: 1}, {Input: 2}, {Input: 3}}}},
		Constraints: any,
	}
	show("merge", merge)

	show("diff", &pb.Op{
		Inputs:      []*pb.Input{in(image, 0), in(merge, 0)},
		Op:          &pb.Op_Diff{Diff: &pb.DiffOp{Lower: &pb.LowerDiffInput{Input: 0}, Upper: &pb.UpperDiffInput{Input: 1}}},
		Constraints: any,
	})

	show("diff-to-scratch", &pb.Op{
		Inputs:      []*pb.Input{in(image, 0)},
		Op:          &pb.Op_Diff{Diff: &pb.DiffOp{Lower: &pb.LowerDiffInput{Input: 0}, Upper: &pb.UpperDiffInput{Input: -1}}},
		Constraints: any,
	})

	show("result", &pb.Op{Inputs: []*pb.Input{in(exec, 2)}})

	// What the builders cannot say, but other clients can: encoded alike.
	show("raw-negative-packed", &pb.Op{
		Op: &pb.Op_Exec{Exec: &pb.ExecOp{Meta: &pb.Meta{ValidExitCodes: []int32{-1, 0, 300, -2147483648}}}},
	})
	show("raw-passthrough", &pb.Op{
		Op: &pb.Op_Passthrough{Passthrough: &pb.PassthroughOp{Id: "id", Outputs: []int64{0, 1, -1, 1 << 62}}},
	})
	show("raw-empty-messages", &pb.Op{
		Inputs: []*pb.Input{{}},
		Op:     &pb.Op_Exec{Exec: &pb.ExecOp{Meta: &pb.Meta{Args: []string{""}, ProxyEnv: &pb.ProxyEnv{}}, Mounts: []*pb.Mount{{TmpfsOpt: &pb.TmpfsOpt{}}}}},
	})

	// Where prost by itself writes other bytes: the members of a oneof come last in Go, and empty keys and
	// values of maps are not left out.
	show("differs-oneof-order", &pb.Op{
		Op:          &pb.Op_Source{Source: &pb.SourceOp{Identifier: "local://a"}},
		Constraints: any,
	})
	show("differs-empty-value", &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{Identifier: "local://a", Attrs: map[string]string{"key": ""}}},
	})
	show("differs-empty-key", &pb.Op{
		Op: &pb.Op_Source{Source: &pb.SourceOp{Identifier: "local://a", Attrs: map[string]string{"": "value"}}},
	})
	show("differs-default-message", &pb.Op{
		Op: &pb.Op_Build{Build: &pb.BuildOp{Builder: -1, Inputs: map[string]*pb.BuildInput{"a": {Input: 0}}}},
	})
}
