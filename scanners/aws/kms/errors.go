package kms

import "errors"

var errNothing = errors.New("the answer is empty")
