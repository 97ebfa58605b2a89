"""SBCL: a garbage collector with write barriers by SIGSEGV, closures, bignums, conditions; as on Linux."""

SCRIPT = r"""
(defun fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(format t "fib ~a~%" (fib 22))
(defun fact (n) (if (< n 2) 1 (* n (fact (- n 1)))))
(format t "fact ~a~%" (length (princ-to-string (fact 1000))))
(let ((h (make-hash-table :test 'equal)))
  (dotimes (i 50000) (setf (gethash (format nil "key-~a" i) h) (list i (* i i))))
  (sb-ext:gc :full t)
  (dotimes (i 50000) (setf (second (gethash (format nil "key-~a" i) h)) (make-list 3)))
  (sb-ext:gc)
  (format t "hash ~a ~a~%" (hash-table-count h) (first (gethash "key-777" h))))
(let ((kept nil))
  (dotimes (round 30) (push (make-array 100000 :initial-element round) kept))
  (sb-ext:gc :full t)
  (format t "arrays ~a~%" (reduce #'+ kept :key (lambda (a) (aref a 5)))))
(format t "condition ~a~%" (handler-case (car (read-from-string "7")) (type-error () "type error")))
(format t "division ~a~%" (handler-case (/ 1 (read-from-string "0")) (division-by-zero () "by zero")))
(funcall (compile nil '(lambda () (format t "compiled ~a~%" (loop for i below 1000 sum (mod i 7))))))
"""


def prepare(t):
    t.write("script.lisp", SCRIPT)


def same(text):
    """Without what it says of its stack."""
    return b"\n".join(line for line in text.splitlines() if not line.startswith((b"INFO:", b"WARNING:")))
