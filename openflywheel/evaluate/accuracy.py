"""x"""
from openflywheel.evaluate import Contest
from openflywheel.base.nouns import Verdict

def accuracy(contest: Contest, *, margin: float = 0.0) -> Verdict:
    """x"""
    n=len(contest.right)
    a=sum(x==y for x,y in zip(contest.right,contest.candidate_says)); b=sum(x==y for x,y in zip(contest.right,contest.champion_says))
    return Verdict(check="accuracy",about=contest.candidate.id,task=contest.candidate.task,passed="yes" if a>=b else "no",score=(a-b)/max(n,1),n=n,reason=f"{a} {b}")
