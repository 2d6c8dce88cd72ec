package memory

import (
	"slices"
	"strings"
	"testing"

	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

const (
	open   = "CONFIG_MODULES=y\nCONFIG_PROC_KCORE=y\n# CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY is not set\n"
	grub   = "# GRUB_CMDLINE_LINUX=\"lockdown=confidentiality\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"
	locked = "GRUB_CMDLINE_LINUX=\"quiet lockdown=confidentiality\"\n"
	kdump  = "[Install]\nWantedBy=multi-user.target\n[Service]\nExecStart=/usr/sbin/kdump-config load\n"
)

func TestWhetherTheMemoryOfAHostCanBeTaken(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		live  bool
		want  string
	}{
		"a stock kernel":                     {map[string]string{"boot/config-6.1": open, "etc/default/grub": grub}, false, "pass acquirable-memory host:web-1//memory"},
		"lockdown for confidentiality":       {map[string]string{"boot/config-6.1": open, "etc/default/grub": locked}, false, "fail acquirable-memory host:web-1//memory: the memory of web-1 cannot be taken: lockdown=confidentiality"},
		"lockdown for integrity":             {map[string]string{"boot/config-6.1": open, "etc/default/grub": "GRUB_CMDLINE_LINUX='lockdown=integrity'\n"}, false, "pass acquirable-memory"},
		"the configuration that grub starts": {map[string]string{"boot/config-6.1": open, "etc/default/grub": grub, "boot/grub/grub.cfg": "menuentry 'x' {\n\tlinux /vmlinuz root=/dev/sda lockdown=confidentiality\n}\n"}, false, "fail acquirable-memory"},
		"a kernel without kcore":             {map[string]string{"usr/lib/modules/6.9/config": "CONFIG_MODULES=y\n", "etc/default/grub": grub}, false, "fail acquirable-memory"},
		"one of two kernels without kcore":   {map[string]string{"boot/config-6.1": open, "boot/config-6.2": "CONFIG_PROC_KCORE=n\n", "etc/default/grub": grub}, false, "not-assessed acquirable-memory"},
		"a kernel built to be locked down":   {map[string]string{"boot/config-6.1": "CONFIG_PROC_KCORE=y\nCONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY=y\n", "etc/default/grub": grub}, false, "fail acquirable-memory"},
		"no kernel, as in a container image": {map[string]string{"etc/hostname": "x"}, false, "not-assessed acquirable-memory"},
		"a boot loader that we may not see":  {map[string]string{"boot/config-6.1": open, "boot/grub/grub.cfg": "-> grub.cfg", "etc/default/grub": grub}, false, "not-assessed acquirable-memory host:web-1//memory: reading it failed"},
		"kdump and memory for it":            {map[string]string{"etc/default/grub": "GRUB_CMDLINE_LINUX=\"lockdown=confidentiality crashkernel=256M\"\n", "usr/lib/systemd/system/kdump.service": kdump, "etc/systemd/system/multi-user.target.wants/kdump.service": "-> /usr/lib/systemd/system/kdump.service"}, false, "pass acquirable-memory"},
		"kdump without memory for it":        {map[string]string{"etc/default/grub": locked, "usr/lib/systemd/system/kdump.service": kdump, "etc/systemd/system/multi-user.target.wants/kdump.service": "-> /usr/lib/systemd/system/kdump.service"}, false, "fail acquirable-memory"},
		"a machine that runs, with kcore":    {map[string]string{"proc/kcore": "", "proc/sys/kernel/osrelease": "6.1\n", "proc/cmdline": "quiet\n"}, true, "pass acquirable-memory"},
		"a machine that runs, without":       {map[string]string{"proc/sys/kernel/osrelease": "6.1\n", "proc/cmdline": "quiet\n"}, true, "fail acquirable-memory host:web-1//memory: the memory of web-1 cannot be taken: kernel 6.1 has no /proc/kcore"},
		"a container that hides kcore":       {map[string]string{"proc/kcore/": "", "proc/sys/kernel/osrelease": "6.1\n", "proc/cmdline": "quiet\n"}, true, "not-assessed acquirable-memory"},
		"a machine that runs, locked":        {map[string]string{"boot/config-6.1": open, "boot/config-6.2": "", "proc/kcore": "", "proc/sys/kernel/osrelease": "6.1\n", "proc/cmdline": "quiet\n", "sys/kernel/security/lockdown": "none integrity [confidentiality]\n"}, true, "fail acquirable-memory"},
		"a machine that runs, open":          {map[string]string{"boot/config-6.1": open, "boot/config-6.2": "", "proc/kcore": "", "proc/sys/kernel/osrelease": "6.1\n", "proc/cmdline": "quiet\n", "sys/kernel/security/lockdown": "[none] integrity confidentiality\n"}, true, "pass acquirable-memory"},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Run(t, hosttest.Image(t, test.files), func(s *scope.Scope) { s.Live = test.live }, Read)
			lines := hosttest.Judge(set)
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, test.want) }) {
				t.Errorf("no line %q in\n%s", test.want, strings.Join(lines, "\n"))
			}
		})
	}
}
