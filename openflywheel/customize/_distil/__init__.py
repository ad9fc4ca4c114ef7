"""What a teacher's traffic is worth.

sorting      people's rows, the teacher's rows, and what the teacher said where people spoke too
reliability  per class, how often the teacher is right, and what its rows may weigh
judging      accuracy on people's rows alone, agreement with the teacher apart
calibrating  the student's confidence, fitted to people's rows
"""
