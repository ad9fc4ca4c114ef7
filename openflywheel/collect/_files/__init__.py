"""What `files` and `delivery` share: where files lie, what kind they are, and one reader a kind.

file       a file as readers see it, what a reader gives, what may be unpacked from it
kinds      which reader a file's name and its first bytes choose
explore    a file and all that is in it, whatever is wrong with it
place      the files of a folder, a glob or object storage; local and cloud hold the two halves
seen       what was read before, in bounded space

A reader is a module with `read(file) -> Iterator[Found | Drop | File]`; a File that it gives (an archive's
member) is read in its turn.
"""
