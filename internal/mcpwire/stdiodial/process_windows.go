package stdiodial

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// jobs are the job objects of running children, by process id. A job ends with its
// last handle, and everything in it: also when Sluice itself is ended.
var jobs sync.Map

func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// confine puts the process into a job of its own.
func confine(p *os.Process) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err == nil {
		var process windows.Handle
		if process, err = windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid)); err == nil {
			err = windows.AssignProcessToJobObject(job, process)
			_ = windows.CloseHandle(process)
		}
	}
	if err != nil {
		_ = windows.CloseHandle(job)
		return
	}
	jobs.Store(p.Pid, job)
}

// killGroup ends the job. Windows has no way to ask gently beside the end of input.
func killGroup(p *os.Process, hard bool) {
	if !hard {
		return
	}
	if job, ok := jobs.Load(p.Pid); ok {
		_ = windows.TerminateJobObject(job.(windows.Handle), 1)
	}
	_ = p.Kill()
}

// wait waits for the process, and ends what it left in its job.
func wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	if job, ok := jobs.LoadAndDelete(cmd.Process.Pid); ok {
		_ = windows.CloseHandle(job.(windows.Handle))
	}
	return err
}
